"""Each corruption of orders, on the wire, at the exchange or in the rows, is named by its id."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from checker.record import WireEntry, ids_of

S = timedelta(seconds=1)


def versions(run: Any, name: str) -> list[dict[str, Any]]:
    """The history of one order."""
    return [row for row in run.rows.order_history if row["cl_ord_id"] == name]


def add_version(run: Any, row: dict[str, Any], **changes: Any) -> None:
    """One version more of an order, after all others."""
    run.rows.order_history.append(
        {**versions(run, row["cl_ord_id"])[-1], "op": "UPDATE", **changes}
    )


def true_order(run: Any, name: str) -> dict[str, Any]:
    """An order in the truth."""
    return next(order for order in run.truth["orders"] if order["cl_ord_id"] == name)


def frame(run: Any, text: str, at: Any, way: str = "in") -> None:
    """One frame more on a private connection."""
    run.add(WireEntry(0, at, run.wire[-1].real, way, "c", "private", text=text))


def i_01_no_intent_row(run):
    name = run.order(state="FILLED")["cl_ord_id"]
    run.rows.orders = [row for row in run.rows.orders if row["cl_ord_id"] != name]


def i_01_intent_committed_after_the_send(run):
    row = run.order(state="FILLED")
    versions(run, row["cl_ord_id"])[0]["committed_at"] += 60 * S


def i_01_another_quantity_was_sent(run):
    row = run.order(state="FILLED")
    run.rewrite(row["cl_ord_id"], '"order_qty":', '"order_qty":1')


def i_01_another_side_was_sent(run):
    row = run.order(state="FILLED", side="buy")
    run.rewrite(row["cl_ord_id"], '"side":"buy"', '"side":"sell"')


def i_01_another_price_was_sent(run):
    row = run.order(state="FILLED")
    run.rewrite(row["cl_ord_id"], '"limit_price":', '"limit_price":1')


def i_02_sent_again(run):
    where = run.sends_of(run.order(state="FILLED")["cl_ord_id"])
    for index in where:
        run.add(dataclasses.replace(run.wire[index], at=run.wire[index].at + S))


def i_02_twice_at_the_exchange(run):
    run.truth["orders"].append({**run.truth["orders"][0], "order_id": "OTHER"})


def i_02_without_an_id(run):
    row = run.order(state="FILLED")
    run.rewrite(row["cl_ord_id"], f'"cl_ord_id":"{row["cl_ord_id"]}",', "")


def i_03_back_to_sendable(run):
    row = run.order(state="FILLED")
    add_version(run, row, state="UNKNOWN")
    add_version(run, row, state="DISPATCHING")


def i_03_sent_while_in_doubt(run):
    row = run.order(state="FILLED")
    second = versions(run, row["cl_ord_id"])[1]
    second["state"], second["committed_at"] = "UNKNOWN", second["committed_at"] - 60 * S


def i_04_ghost_at_the_exchange(run):
    true_order(run, run.order(state="FILLED")["cl_ord_id"])["cl_ord_id"] = "st1-zz"


def i_04_ghost_in_the_rows(run):
    row = run.order(state="FILLED")
    run.truth["orders"].remove(true_order(run, row["cl_ord_id"]))


def i_04_open_here_and_over_there(run):
    run.order(state="FILLED")["state"] = "OPEN"


def i_04_unknown_for_ever(run):
    row = run.order(state="FILLED")
    run.truth["orders"].remove(true_order(run, row["cl_ord_id"]))
    row["state"] = "UNKNOWN"


def i_05_too_early(run):
    row = run.order(state="FILLED")
    add_version(run, row, state="NOT_ACCEPTED", at=row["deadline"] + 70 * S)


def i_05_without_a_look(run):
    row = run.order(state="FILLED")
    add_version(run, row, state="NOT_ACCEPTED", at=row["deadline"] + 90 * S)
    run.wire = [entry for entry in run.wire if not entry.path.endswith("ClosedOrders")]


def i_05_for_good_though_it_is_there(run):
    run.order(state="FILLED")["state"] = "NOT_ACCEPTED"


def i_06_filled_becomes_canceled(run):
    add_version(run, run.order(state="FILLED"), state="CANCELED")


def i_06_void_becomes_open(run):
    row = run.order(state="FILLED")
    add_version(run, row, state="VOID")
    add_version(run, row, state="OPEN")


def i_06_fills_go_back(run):
    add_version(run, run.order(state="FILLED"), filled_qty=0)


def i_06_begins_as_sent(run):
    versions(run, run.order(state="FILLED")["cl_ord_id"])[0]["state"] = "SENT"


def i_06_rejected_without_a_refusal(run):
    row = run.order(state="FILLED")
    versions(run, row["cl_ord_id"])[1]["state"] = "REJECTED"


def i_08_over_before_the_exchange_said_so(run):
    row = run.order(state="FILLED")
    true = true_order(run, row["cl_ord_id"])
    add_version(run, row, state="CANCELED", at=row["approved_at"])
    assert true["closed_at"] is not None


def i_08_over_while_it_rests(run):
    row = run.order(state="FILLED")
    true_order(run, row["cl_ord_id"]).update(closed_at=None, status="new")
    add_version(run, row, state="EXPIRED")


def _foreign(run) -> dict[str, Any]:
    order = {**run.truth["orders"][0], "order_id": "OMANUAL", "cl_ord_id": "hand-1"}
    run.truth["orders"].append(order)
    return order


def i_09_cancels_a_manual_order(run):
    order = _foreign(run)
    text = f'{{"method":"cancel_order","params":{{"order_id":["{order["order_id"]}"]}}}}'
    frame(run, text, run.facts.calm_at)


def i_09_amends_a_manual_order(run):
    _foreign(run)
    text = '{"method":"amend_order","params":{"cl_ord_id":"hand-1","order_qty":1}}'
    frame(run, text, run.facts.calm_at)


def i_09_cancels_all_without_a_halt(run):
    frame(run, '{"method":"cancel_all","params":{}}', run.facts.calm_at)


def i_09_adopts_a_manual_order(run):
    run.rows.orders.append({**run.order(state="FILLED"), "cl_ord_id": "hand-1"})


def i_09_adopts_a_manual_trade(run):
    order = _foreign(run)
    bought = next(row for row in run.rows.trades if row["side"] == "buy")
    bought["order_id"] = order["order_id"]


def i_10_no_deadline(run):
    row = run.order(state="FILLED")
    run.rewrite(row["cl_ord_id"], '"deadline":', '"deadlines":')


def i_10_a_long_deadline(run):
    row = run.order(state="FILLED")
    row["approved_at"] -= 10 * S


def i_10_rests_without_an_expiry(run):
    row = run.order(state="FILLED", origin="ai")
    run.rewrite(row["cl_ord_id"], '"time_in_force":"ioc"', '"time_in_force":"gtc"')


def i_20_after_its_approval(run):
    row = run.order(state="FILLED")
    row["send_by"] = row["approved_at"] - S


def i_20_an_approval_of_a_minute(run):
    row = run.order(state="FILLED")
    row["send_by"] = row["approved_at"] + 60 * S


def skewed_replies(run, ahead_s):
    """Replies of a private connection whose stamps are ahead, from the start on."""
    first = run.wire[0]
    for number in range(2):
        at = first.at + number * S
        stamp = (at + ahead_s * S).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        run.wire.insert(
            number, dataclasses.replace(first, n=0, at=at, way="out", on="private",
            text=f'{{"method":"pong","time_in":"{stamp}","time_out":"{stamp}"}}'),
        )  # fmt: skip
    return run.wire[:2]


@pytest.mark.parametrize(
    ("ahead_s", "longer_s", "wrong"),
    [(3, 3, False), (3, 3.2, True), (-3, 0.1, True), (0.2, 0.2, True), (8, 6, True)],
)
def test_i_10_x34_a_deadline_is_judged_by_the_clock_that_the_exchange_showed(
    run, ahead_s, longer_s, wrong
):
    row = run.order(state="FILLED")
    shown = skewed_replies(run, ahead_s)
    run.wire[:] = shown + [e for e in run.wire[2:] if e.way != "out" or "time_out" not in e.text]
    row["approved_at"] -= timedelta(seconds=longer_s)
    assert bool(run.judged("I-10")) is wrong


CORRUPTIONS: list[Callable[[Any], None]] = [
    made for name, made in list(globals().items()) if name.startswith("i_") and callable(made)
]


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda made: made.__name__)
def test_a_corruption_of_orders_is_named_by_its_id(run, corrupt):
    corrupt(run)
    ident = f"I-{corrupt.__name__[2:4]}"
    assert ids_of(run.judged(ident)) == {ident}
