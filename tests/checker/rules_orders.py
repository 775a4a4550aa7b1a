"""Rules of orders and their persistence: I-01 to I-06, I-08 to I-10, I-20."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from checker.evidence import ENDED, LIVE, NEVER_THERE, UNKNOWN_LIFE, Evidence
from checker.rows import Row

# The exchange's last word on an order -> what our row may say at quiescence.
AGREES = {
    "filled": {"FILLED"},
    "canceled": {"CANCELED", "EXPIRED"},
    "expired": {"EXPIRED", "CANCELED"},
    "new": {"OPEN", "SENT", "PENDING_CANCEL"},
    "partially_filled": {"PARTIAL", "PENDING_CANCEL"},
    "pending_new": {"OPEN", "SENT", "PENDING_CANCEL"},
}
# What a state may become, by reliability I-06 and the rows marked real in architecture section 7:
# written down here from the specification, not read from the daemon's own table.
_VENUE = {"OPEN", "PARTIAL", "FILLED", "CANCELED", "EXPIRED"}
MAY_BECOME = {
    "DISPATCHING": {"SENT", "VOID", "UNKNOWN", "REJECTED", *_VENUE},
    "SENT": {"UNKNOWN", "REJECTED", "PENDING_CANCEL", *_VENUE},
    "UNKNOWN": {"NOT_ACCEPTED", "REJECTED", "PENDING_CANCEL", *_VENUE},
    "OPEN": {"AMENDING", "PENDING_CANCEL", "REJECTED", *_VENUE},
    "AMENDING": {"PENDING_CANCEL", *_VENUE},
    "PARTIAL": {"AMENDING", "PENDING_CANCEL", "FILLED", "CANCELED", "EXPIRED"},
    "PENDING_CANCEL": {*_VENUE},
    "NOT_ACCEPTED": {*_VENUE},  # late evidence re-opens it
    "REJECTED": {*_VENUE},  # a reject that was none: evidence wins
    "CANCELED": {"FILLED"},  # a late fill completes it
    "EXPIRED": {"FILLED"},
    "FILLED": set(),
    "VOID": set(),
}
_SAME = ("pair", "side", "order_type", "qty", "limit_price", "time_in_force", "post_only")
_LOOKS = ("OpenOrders", "ClosedOrders", "TradesHistory")
_TTL = timedelta(seconds=2)
# X34: what a client must take for another clock, how well it can measure it, and what halts it.
_SKEW_TOLD_S, _MEASURED_S, _SKEW_MOST_S = 0.5, 0.05, 5.0
# Answers after which an order may be there all the same (protocol section 12).
_PROVES_NOTHING = ("EService:Unavailable", "EService:Busy", "EService:Timeout", "EGeneral:Internal")


def i_01(e: Evidence) -> Iterator[str]:
    """Each order on the wire has an intent row of the same content, committed before its bytes.

    The commit stamp is that of the first version in the checker's own history; without a server
    that stamps commits, only the content is judged.
    """
    for sent, row in e.sends():
        if row is None:
            yield f"order {sent.cl_ord_id} went out at {sent.at} and has no intent row"
            continue
        for name in _SAME:
            on_wire = getattr(sent, name)
            if on_wire != row[name]:
                yield f"order {sent.cl_ord_id}: {name} {on_wire} sent, {row[name]} in its intent"
        first = next(iter(e.history.get(str(sent.cl_ord_id), ())), None)
        if first is None or first.get("committed_at") is None or _imported(e, row["cl_ord_id"]):
            continue
        if first["committed_at"] >= sent.real:
            yield (
                f"order {sent.cl_ord_id}: sent {sent.real}, intent committed "
                f"{first['committed_at']}"
            )


def i_02(e: Evidence) -> Iterator[str]:
    """A client order id is in at most one order, on the wire and at the exchange, for ever."""
    for orders, where in ((e.wire.orders, "sent"), (e.wire.arrived, "arrived")):
        for name, count in Counter(order.cl_ord_id for order in orders).items():
            if name is None:
                yield f"{count} orders were {where} without a client order id"
            elif count > 1:
                yield f"order {name} {where} {count} times"
    for name, found in e.true_orders.items():
        if len(found) > 1:
            yield f"order {name} is at the exchange {len(found)} times"


def i_03(e: Evidence) -> Iterator[str]:
    """No order becomes sendable again, and none goes out that was in doubt or over by its row."""
    for name, versions in e.history.items():
        for before, after in _steps(versions):
            if after["state"] == "DISPATCHING" and before["state"] != "DISPATCHING":
                yield f"order {name} went from {before['state']} back to DISPATCHING"
    for sent, row in e.sends():
        for version in e.history.get(str(sent.cl_ord_id), ()) if row else ():
            stamp = version.get("committed_at")
            if stamp is not None and stamp < sent.real and version["state"] != "DISPATCHING":
                yield f"order {sent.cl_ord_id} was sent when it was {version['state']}"
                break


def _steps(versions: list[Row]) -> Iterator[tuple[Row, Row]]:
    yield from pairwise(versions)


def i_04(e: Evidence) -> Iterator[str]:
    """No ghosts either way: orders at the exchange are rows, live rows are live there, in time."""
    if not e.facts.quiescent:
        return
    settled = e.facts.ended_at - (e.facts.calm_at or e.facts.ended_at) >= e.facts.recovery
    for name, found in e.true_orders.items():
        if name not in e.orders:
            yield f"order {name} is at the exchange and not in pending_trades"
        elif settled and e.orders[name]["state"] not in AGREES[found[0].status]:
            yield f"order {name} is {e.orders[name]['state']} here and {found[0].status} there"
    for name, row in e.orders.items():
        if name in e.true_orders or not settled:
            continue
        if row["state"] in LIVE and e.facts.ended_at > row["deadline"] + UNKNOWN_LIFE:
            yield f"order {name} is {row['state']} here and not at the exchange"
        if row["state"] in ENDED - NEVER_THERE:
            yield f"order {name} is {row['state']} here and never was at the exchange"


def i_05(e: Evidence) -> Iterator[str]:
    """NOT_ACCEPTED only after deadline + lag, on looks answered after it, and never for good while
    the exchange has the order.
    """
    for name, versions in e.history.items():
        row = e.orders.get(name)
        for version in versions if row is not None else ():
            if version["state"] == "NOT_ACCEPTED" and version["op"] == "UPDATE":
                yield from _too_early(e, name, row["deadline"], version["at"])
    if not e.facts.quiescent:
        return
    for name, row in e.orders.items():
        if row["state"] == "NOT_ACCEPTED" and name in e.true_orders:
            yield f"order {name} stays NOT_ACCEPTED and is {e.true_orders[name][0].status} there"


def _too_early(e: Evidence, name: str, deadline: datetime, at: datetime) -> Iterator[str]:
    earliest = deadline + e.facts.lag_margin
    if at <= earliest:
        yield f"order {name} was NOT_ACCEPTED at {at}, its time runs until {earliest}"
        return
    for call in _LOOKS:
        if not any(what == call and earliest < when <= at for when, what in e.wire.looks):
            yield f"order {name} was NOT_ACCEPTED at {at} without {call} answered after {earliest}"


def i_06(e: Evidence) -> Iterator[str]:
    """Every step of an order's row is one the state machine has; an intent begins DISPATCHING; only
    a refusal on the wire that proves something makes it REJECTED.
    """
    for name, versions in e.history.items():
        began = {"UNKNOWN"} if _imported(e, name) else {"DISPATCHING"}
        if versions[0]["op"] == "INSERT" and versions[0]["state"] not in began:
            yield f"order {name} began as {versions[0]['state']}"
        if any(version["state"] == "REJECTED" for version in versions):
            yield from _unproven_reject(e, name)
        for before, after in _steps(versions):
            old, new = before["state"], after["state"]
            if old != new and new not in MAY_BECOME[old]:
                yield f"order {name} went from {old} to {new}"
            if after["filled_qty"] < before["filled_qty"]:
                yield f"order {name}: filled {before['filled_qty']}, later {after['filled_qty']}"


def _imported(e: Evidence, name: str) -> bool:
    """Whether a restored backup had lost its intent: it was taken in from the exchange (D12)."""
    return name in e.orders and e.orders[name]["params_hash"] == ""


def _unproven_reject(e: Evidence, name: str) -> Iterator[str]:
    told = [
        e.wire.refusals.get((sent.connection, sent.req_id))
        for sent in e.wire.arrived
        if sent.cl_ord_id == name and sent.req_id is not None
    ]
    if not any(error and not error.startswith(_PROVES_NOTHING) for error in told):
        yield f"order {name} was REJECTED, the exchange said {told or 'nothing'}"


def i_08(e: Evidence) -> Iterator[str]:
    """No row calls an order over before the exchange closed it: its exposure counts until then."""
    for name, versions in e.history.items():
        true = next(iter(e.true_orders.get(name, ())), None)
        if true is None:
            continue
        for version in versions:
            if version["state"] not in ("CANCELED", "EXPIRED"):
                continue
            if true.closed_at is None or version["at"] < true.closed_at:
                yield (
                    f"order {name} was {version['state']} here at {version['at']}, "
                    f"closed there {true.closed_at}"
                )
                break


def i_09(e: Evidence) -> Iterator[str]:
    """Nobody else's order is cancelled, amended or adopted; all of the account only on a halt."""
    ids = {order.order_id for order in e.foreign}
    names = {order.cl_ord_id for order in e.foreign if order.cl_ord_id}
    for cancel in e.wire.cancels:
        hit = ids.intersection(cancel.order_ids) | names.intersection(cancel.cl_ord_ids)
        if hit:
            yield f"{cancel.what} at {cancel.at} names {sorted(hit)}, which are not ours"
        if cancel.everything and not _halted_before(e, cancel.at):
            yield f"{cancel.what} at {cancel.at} without a halt"
    for row in e.rows.orders:
        if not e.ours(row["cl_ord_id"]):
            yield f"pending_trades has {row['cl_ord_id']}, which is not ours"
    adopted = {row["exec_id"] for row in e.rows.trades if row["order_id"] in ids}
    for lot in e.rows.lots:
        if lot["opened_exec_id"] in adopted and lot["owner"] != "external":
            yield f"lot {lot['lot_id']} of {lot['owner']} is another's trade"


def _halted_before(e: Evidence, at: datetime) -> bool:
    by_hand = any(when <= at and what == "halt" for when, what in e.facts.halts)
    by_row = any(row["halted"] and row["at"] <= at for row in e.rows.risk_history or e.rows.risk)
    return by_hand or by_row


def i_10(e: Evidence) -> Iterator[str]:
    """Each order has a deadline within the configured span; a resting entry dies alone (GTD).

    The deadline is a moment of the exchange's clock: where its own frames showed that clock ahead
    (X34), by as much, and by 5 s at most: beyond that no order may go out.
    """
    for sent, row in e.sends():
        if sent.deadline is None:
            yield f"order {sent.cl_ord_id} has no deadline"
            continue
        from_ = row["approved_at"] if row is not None else sent.at
        life = (sent.deadline - from_).total_seconds()
        ahead = e.wire.ahead_at(sent.at)
        told = min(ahead + _MEASURED_S, _SKEW_MOST_S) if ahead > _SKEW_TOLD_S else 0.0
        if life > float(e.facts.caps.deadline_s) + told:
            yield f"order {sent.cl_ord_id} has a deadline of {life:.3f} s"
        is_exit = row is not None and row["origin"] == "exit"
        if sent.rests and not is_exit and sent.expire_at is None:
            yield f"order {sent.cl_ord_id} rests without an expiry"


def i_20(e: Evidence) -> Iterator[str]:
    """What went out had been approved: within the life of its approval, at most 2 s before."""
    for sent, row in e.sends():
        if row is None:
            continue  # I-01
        if row["send_by"] - row["approved_at"] > _TTL:
            yield f"order {sent.cl_ord_id}: an approval of {row['send_by'] - row['approved_at']}"
        # On its way for a moment where only its arrival is known.
        if sent.at > row["send_by"] + _way(e):
            yield f"order {sent.cl_ord_id} went out at {sent.at}, approved until {row['send_by']}"


def _way(e: Evidence) -> timedelta:
    sent_known = any(entry.way == "sent" for entry in e.wire.entries)
    return timedelta(0) if sent_known else timedelta(seconds=5)


RULES = {
    "I-01": i_01,
    "I-02": i_02,
    "I-03": i_03,
    "I-04": i_04,
    "I-05": i_05,
    "I-06": i_06,
    "I-08": i_08,
    "I-09": i_09,
    "I-10": i_10,
    "I-20": i_20,
}
