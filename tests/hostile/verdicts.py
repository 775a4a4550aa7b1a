"""What the real path made of an answer, in the words of the corpus."""

from collections.abc import Iterable

from brain_desk import decisions_of

from hostile.corpus import GOOD, READ
from simple_trader.domain import actions as a
from simple_trader.domain.records import DecisionRow


def outcome_of(row: DecisionRow) -> str:
    """`good` where the row holds what the good answer says, else the reason of the hold."""
    if (row.action, row.confidence, row.risk_level) == READ[row.pair]:
        return GOOD
    if row.verdict == "hold" and row.action == "hold" and row.confidence is None:
        return row.reason.value
    return f"read as {row.action} {row.confidence} {row.risk_level}"


def outcomes(done: Iterable[a.Action]) -> dict[str, str]:
    """The outcome of each pair."""
    return {pair: outcome_of(row) for pair, row in decisions_of(done).items()}
