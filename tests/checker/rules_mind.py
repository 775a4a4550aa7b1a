"""What the advisor is shown and how decisions are marked: nothing of later, nothing lost."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from checker.evidence import Evidence
from checker.rows import Row

GRACE = timedelta(seconds=120)  # for the look that voids what no price came for


def i_42(e: Evidence) -> Iterator[str]:
    """No snapshot holds an event after its moment; each mark is of the first price at or after its
    horizon or void, none is lost over a restart, and every approved advice has its marks.
    """
    for row in e.rows.snapshots:
        moments = [row["newest_event_at"], *map(datetime.fromisoformat, row["moments"])]
        if max(moments) > row["as_of"]:
            yield f"snapshot {row['snapshot_id']} of {row['as_of']} saw {max(moments)}"
    marked = {row["decision_id"] for row in e.rows.marks}
    for row in e.rows.decisions:
        asked = row["call_id"] is not None and row["verdict"] == "approved"
        if asked and row["decision_id"] not in marked:
            yield f"decision {row['decision_id']} was never written down to be marked"
    for row in e.rows.marks:
        yield from _mark(row, e.facts.ended_at)


def _mark(row: Row, ended_at: datetime) -> Iterator[str]:
    name, horizon = f"mark {row['mark_id']}", timedelta(seconds=row["horizon_s"])
    due, last = row["due_at"], row["due_at"] + horizon
    if due != row["decided_at"] + horizon:
        yield f"{name} is due at {due}, not {horizon} after its decision"
    if row["scored_at"] is None:
        if last + GRACE < ended_at:
            yield f"{name} was due at {due} and has no outcome at {ended_at}"
    elif row["void_reason"] == "mark_stale":
        if row["scored_at"] != row["decided_at"] or row["outcome_mid"] is not None:
            yield f"{name} is void for its first price, but not from the start"
    elif row["void_reason"] is not None:
        if row["scored_at"] <= last or row["outcome_mid"] is not None:
            yield f"{name} is void though a price could still come, or came"
    elif not due <= row["mid_at"] <= min(last, row["scored_at"]):
        yield f"{name}, due at {due}, has a price of {row['mid_at']}"
    else:
        change = (row["outcome_mid"] - row["mid"]) / row["mid"] * 100
        if abs(float(change) - row["roi_pct"]) > 1e-9:
            yield f"{name} says {row['roi_pct']} %, its prices say {change} %"


RULES = {"I-42": i_42}
