"""What advice has cost in the last real hour and day, and the hard stop (L17)."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from simple_trader.adapters.llm.plan import Budget
from simple_trader.adapters.llm.provider import ProviderSettings
from simple_trader.ports import Spent

HOUR_S = 3_600.0
DAY_S = 86_400.0
SHADOWS_SHARE = Decimal("0.5")  # so that no shadow leaves the trading advisor without a budget
WRAPPING_TOKENS = 1_000  # roles, and what a provider says of tools in words of its own
_STEP_S = 60.0  # spending is kept by the minute: a day is 1440 numbers however many calls


class Ticket(msgspec.Struct, frozen=True):
    """What is set aside for a question on its way: the most it can cost."""

    number: int
    tokens_in: int
    tokens_out: int
    usd: Decimal

    @property
    def tokens(self) -> int:
        """Of question and answer."""
        return self.tokens_in + self.tokens_out


def most_tokens(body: Mapping[str, Any]) -> int:
    """The most tokens that a request can come to, tool schema included: one for each byte of it.

    No tokenizer makes more than one token of a byte, and a limit must hold for all of them. A
    smaller figure does not: prompts of ours came to 2.0 bytes a token with the tokenizers of
    Llama 2 and Mistral, which give each digit its own, their data block to 1.6, numbers alone to
    1.04 (2.8, 2.5 and 2.1 with those of GPT-4 and GPT-4o). What is too much in it is given back
    when the provider has counted. WRAPPING_TOKENS are for what a provider puts around it.
    """
    return len(msgspec.json.encode(body)) + WRAPPING_TOKENS


class Spending:
    """Counts by a monotonic clock, so that no step of the wall clock gives a budget back.

    A ticket is taken before a question and settled after it: questions on their way count in full,
    so that the budget holds for any number of them at a time.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        before: Iterable[Spent] = (),
        cut_off: Iterable[float] = (),
    ) -> None:
        """`before` is what went before this start, from `llm_calls`.

        `cut_off` are the ages, in seconds, of questions whose end nobody wrote down: each counts as
        the first question of this start, of which nothing tells it apart.
        """
        self._monotonic = monotonic
        now = monotonic()
        self._cut_off = [now - age_s for age_s in cut_off]
        self._askers: set[str] = set()
        self._minutes: deque[tuple[float, int, Decimal]] = deque(  # when each minute began
            (now - item.age_s, item.tokens, item.usd)
            for item in sorted(before, key=lambda item: -item.age_s)
        )
        self._open: dict[int, Ticket] = {}
        self._numbers = 0

    def take(
        self, settings: ProviderSettings, body: Mapping[str, Any], budget: Budget, *, asker: str
    ) -> Ticket | str:
        """Set the most aside that this question can cost, or say which budget does not hold it.

        `body` is all that is sent; `asker` is the name of a shadow, or empty.
        """
        self._numbers += 1
        if settings.is_stand_in:
            return Ticket(self._numbers, 0, 0, Decimal(0))
        tokens_in = most_tokens(body)
        usd = settings.cost(tokens_in, settings.max_tokens) or Decimal(0)
        wanted = Ticket(self._numbers, tokens_in, settings.max_tokens, usd)
        self._charge_cut_off(asker, wanted)
        share = SHADOWS_SHARE if asker else Decimal(1)
        for what, used, more, limit in self._against(budget, wanted):
            if used + more > limit * share:
                of = "half of " if asker else ""
                return (
                    f"{of}llm_budget.{what} is {_figure(limit * share)}: {_figure(used)} are "
                    f"spent or on their way, and this question may take {_figure(more)}"
                )
        self._open[wanted.number] = wanted
        return wanted

    def settle(self, ticket: Ticket, tokens: int, usd: Decimal) -> None:
        """The question is over and came to so much."""
        self._open.pop(ticket.number, None)
        if not (tokens or usd):
            return
        now = self._monotonic()
        began = now
        if self._minutes and now - self._minutes[-1][0] < _STEP_S:
            began, more, dollars = self._minutes.pop()
            tokens, usd = tokens + more, usd + dollars
        self._minutes.append((began, tokens, usd))

    def spent(self, span_s: float) -> tuple[int, Decimal]:
        """Tokens and USD of the last `span_s` seconds (at most a day), those on their way too."""
        end = self._monotonic() - _STEP_S  # a minute leaves the window when its last call does
        while self._minutes and end - self._minutes[0][0] >= DAY_S:
            self._minutes.popleft()
        recent = [item for item in self._minutes if end - item[0] < span_s]
        tokens = sum(item[1] for item in recent) + sum(t.tokens for t in self._open.values())
        usd = sum((item[2] for item in recent), Decimal(0))
        return tokens, usd + sum((t.usd for t in self._open.values()), Decimal(0))

    def _charge_cut_off(self, asker: str, like: Ticket) -> None:
        """Who asks for the first time may have asked just so in each question that was cut off."""
        if asker in self._askers or not self._cut_off:
            return
        self._askers.add(asker)
        minutes = [*self._minutes, *((at, like.tokens, like.usd) for at in self._cut_off)]
        self._minutes = deque(sorted(minutes, key=lambda item: item[0]))

    def _against(
        self, budget: Budget, wanted: Ticket
    ) -> Iterable[tuple[str, Decimal, Decimal, Decimal]]:
        for span, span_s in (("hour", HOUR_S), ("day", DAY_S)):
            tokens, usd = self.spent(span_s)
            for unit, used, more in (
                ("tokens", Decimal(tokens), Decimal(wanted.tokens)),
                ("usd", usd, wanted.usd),
            ):
                limit = getattr(budget, f"{unit}_per_{span}")
                if limit is not None and (more or unit == "tokens"):
                    yield f"{unit}_per_{span}", used, more, Decimal(limit)


def _figure(value: Decimal) -> str:
    """Tokens or USD as a person writes them: no exponent, at most six places."""
    return f"{round(value, 6).normalize():f}"
