"""Who really answered: the model's name as the provider gives it, and answers that came before."""

import logging
from collections import deque
from collections.abc import Mapping

from simple_trader.adapters.llm.answers import Answer
from simple_trader.adapters.llm.provider import ProviderSettings

log = logging.getLogger("simple_trader.advisor")

_KEPT = 512


class Identity:
    """Raises an alarm when a provider answers as another model than before (L16).

    Marks are kept by the name the provider gives, so a silent change begins with no marks.
    """

    def __init__(self, before: Mapping[tuple[str, str], str] | None = None) -> None:
        """`before`: the name last given, by provider and by the name that was asked for."""
        self._named = dict(before or {})
        self._seen: deque[tuple[str, str]] = deque(maxlen=_KEPT)

    def note(self, settings: ProviderSettings, answer: Answer) -> str:
        """The sentence of the alarm, which is logged as well; empty where all is as before."""
        key = (settings.name, settings.model)
        before = self._named.get(key)
        if not answer.model or answer.model == before:
            return ""
        self._named[key] = answer.model
        if before is None:
            return ""
        sentence = (
            f"{settings.name} was asked for {settings.model} and answers as {answer.model} now, "
            f"not as {before} any more: marks of the new one begin at nothing."
        )
        log.warning("%s", sentence)
        return sentence

    def is_replay(self, settings: ProviderSettings, answer: Answer) -> bool:
        """Whether this very completion answered an earlier question (L14), by id and moment.

        A provider that names none cannot be checked; the stand-in answers the same to the same.
        """
        if not answer.completion or settings.is_stand_in:
            return False
        key = (settings.base_url, answer.completion)
        if key in self._seen:
            return True
        self._seen.append(key)
        return False
