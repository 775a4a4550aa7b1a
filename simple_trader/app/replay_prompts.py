"""Prompts of a replay: each question is rendered again and compared with what was sent."""

from hashlib import sha256

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.rendered_again import assets_by_hash, renderings
from simple_trader.adapters.store.replay_source import ReplaySource
from simple_trader.adapters.store.row_values import Difference, difference
from simple_trader.domain.actions import Action, AskAdvice
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.events import AdviceArrived, AdviceFailed, Event

_KEPT = 50  # questions that wait for their answer at the same time are a handful


class PromptCheck:
    """Holds each question until its answer tells the prompt that was sent."""

    def __init__(self, source: ReplaySource) -> None:
        """Templates are read from the versions of the configuration that `source` keeps."""
        self._source = source
        self._asked: dict[str, AskAdvice] = {}
        self._versions: dict[str, dict[str, LlmAssets] | None] = {}
        self.compared = 0
        self.unasked = 0  # answers to questions from before the stretch
        self.textless = 0  # questions of a version that kept no templates

    def ask(self, action: Action) -> None:
        """Remember a question of the engine."""
        if isinstance(action, AskAdvice):
            self._asked[action.question.question_id] = action
            while len(self._asked) > _KEPT:
                del self._asked[next(iter(self._asked))]

    async def answer(self, event: Event) -> list[Difference]:
        """Compare the prompt of an answer with the one that its question makes."""
        if not isinstance(event, AdviceArrived | AdviceFailed) or not event.prompt:
            return []
        ask = self._asked.pop(event.question_id, None)
        if ask is None:
            self.unasked += 1
            return []
        where = f"prompt of question {event.question_id}"
        try:
            version = await self._version(ask.question.config_hash)
        except InvariantBroken as error:
            return [difference(where, "templates", str(error), "templates")]
        if version is None:
            self.textless += 1
            return []
        used = [version[name] for name in version if event.template_hash in {name, ""}]
        if not used:
            known = ", ".join(sorted(version)) or "none"
            return [difference(where, "template_hash", event.template_hash, known)]
        rendered = [text for assets in used for text in renderings(assets, ask)]
        # Another provider may have been asked otherwise (tools, plain words), each with its prompt.
        sent = [(event.prompt, event.prompt_hash)]
        sent += [(one.prompt, one.prompt_hash) for one in event.tried if one.prompt]
        self.compared += len(sent)
        return [found for one in sent for found in _judged(where, *one, rendered)]

    async def _version(self, config_hash: str) -> dict[str, LlmAssets] | None:
        if config_hash not in self._versions:
            texts = await self._source.texts(config_hash)
            self._versions[config_hash] = assets_by_hash(texts) if texts else None
        return self._versions[config_hash]


def _judged(where: str, prompt: str, prompt_hash: str, rendered: list[str]) -> list[Difference]:
    """What is wrong with one prompt that was sent."""
    if sha256(prompt.encode()).hexdigest() != prompt_hash:
        return [difference(where, "prompt_hash", prompt_hash, "the hash of its text")]
    if prompt in rendered:
        return []
    nearest = max(rendered, key=lambda text: _common(text, prompt), default=None)
    return [difference(where, "text", prompt, nearest)]


def _common(first: str, second: str) -> int:
    """How many characters two texts begin with alike."""
    for number, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return number
    return min(len(first), len(second))
