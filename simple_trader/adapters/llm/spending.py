"""What advice has cost in the last real hour and day, and the hard stop (L17)."""

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from simple_trader.adapters.llm.plan import Budget
from simple_trader.adapters.llm.provider import ProviderSettings
from simple_trader.ports import Spent

HOUR_S = 3_600.0
DAY_S = 86_400.0
SHADOWS_SHARE = Decimal("0.5")  # so that no shadow leaves the trading advisor without a budget
_CHARS_PER_TOKEN = 3  # fewer than any tokenizer: the guess is rather too high
_STEP_S = 60.0  # spending is kept by the minute: a day is 1440 numbers however many calls


class Ticket(msgspec.Struct, frozen=True):
    """What is set aside for a question on its way: the most it can cost."""

    number: int
    tokens: int
    usd: Decimal


class Spending:
    """Counts by a monotonic clock, so that no step of the wall clock gives a budget back.

    A ticket is taken before a question and settled after it: questions on their way count in full,
    so that the budget holds for any number of them at a time.
    """

    def __init__(self, monotonic: Callable[[], float], before: Iterable[Spent] = ()) -> None:
        """`before` is what went before this start, from `llm_calls`."""
        self._monotonic = monotonic
        now = monotonic()
        self._minutes: deque[tuple[float, int, Decimal]] = deque(  # when each minute began
            (now - item.age_s, item.tokens, item.usd)
            for item in sorted(before, key=lambda item: -item.age_s)
        )
        self._open: dict[int, Ticket] = {}
        self._numbers = 0

    def take(
        self, settings: ProviderSettings, prompt: str, budget: Budget, *, is_shadow: bool
    ) -> Ticket | str:
        """Set the most aside that this question can cost, or say which budget does not hold it."""
        tokens_in = len(prompt.encode()) // _CHARS_PER_TOKEN + 1
        usd = settings.cost(tokens_in, settings.max_tokens) or Decimal(0)
        self._numbers += 1
        wanted = Ticket(self._numbers, tokens_in + settings.max_tokens, usd)
        if settings.is_stand_in:
            wanted = Ticket(self._numbers, 0, Decimal(0))
        else:
            share = SHADOWS_SHARE if is_shadow else Decimal(1)
            for what, used, more, limit in self._against(budget, wanted):
                if used + more > limit * share:
                    of = "half of " if is_shadow else ""
                    return (
                        f"{of}llm_budget.{what} is {_figure(limit * share)}: {_figure(used)} are "
                        f"spent or on their way, and this question may take {_figure(more)}"
                    )
        self._open[wanted.number] = wanted
        return wanted

    def settle(self, ticket: Ticket, settings: ProviderSettings, tokens: int, usd: Decimal) -> None:
        """The question is over and came to so much."""
        self._open.pop(ticket.number, None)
        if settings.is_stand_in or not (tokens or usd):
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
