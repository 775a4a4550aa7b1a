"""The independent checker: wire record, exchange's truth and database in, violations out.

It shares no code with the daemon (tests/architecture holds it to that): own SQL, own reading of
frames, own table of states, own fold. ADR 0018 says why, docs/RELIABILITY.md what is checked where.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from checker import rules_mind, rules_money, rules_orders, rules_risk, rules_writer
from checker.evidence import Evidence, Rule
from checker.record import Facts, Violation, WireEntry
from checker.rows import Rows, read
from checker.truth import Truth, read_truth
from checker.wire import read_wire

RULES: dict[str, Rule] = dict(
    sorted(
        {
            **rules_orders.RULES,
            **rules_money.RULES,
            **rules_risk.RULES,
            **rules_writer.RULES,
            **rules_mind.RULES,
        }.items()
    )
)
# What W, E and rows cannot show, and where it is shown instead.
ELSEWHERE = {
    "I-16": "no binary floating point: lint and schema tests",
    "I-19": "no await between check and reservation: static check, and I-18 here",
    "I-25": "compiled ceilings: unit tests of core/risk",
    "I-44": "nothing private leaves the machine: tests of the relay and of arming",
    "I-47": "nothing grows: the soak",
    "I-49": "durations by the monotonic clock: tidy rule and clock-step tests",
    "I-51": "alerts within 5 s: tests of telemetry and of the supervisor",
}
MOST = 5  # sentences of one rule that are told


def check(
    dsn: str,
    wire: Sequence[WireEntry],
    truth: dict[str, Any],
    facts: Facts,
    *,
    only: Iterable[str] = (),
) -> list[Violation]:
    """Judge a run; `only` limits it to some ids. May be called from anywhere, in a loop too."""
    return judge(Evidence(read_wire(wire), read_truth(truth), read(dsn), facts), only=only)


def judge(
    evidence: Evidence, *, only: Iterable[str] = (), most: Callable[[str], int] | None = None
) -> list[Violation]:
    """As `check`, on evidence that was read already."""
    wanted = set(only) or set(RULES)
    found: list[Violation] = []
    for name, rule in RULES.items():
        if name not in wanted:
            continue
        limit = most(name) if most else MOST
        sentences = list(rule(evidence))
        found += [Violation(name, text) for text in sentences[:limit]]
        if len(sentences) > limit:
            found.append(Violation(name, f"and {len(sentences) - limit} more"))
    return found


def evidence_of(rows: Rows, wire: Sequence[WireEntry], truth: Truth, facts: Facts) -> Evidence:
    """Evidence from parts at hand: for tests of the rules."""
    return Evidence(read_wire(wire), truth, rows, facts)
