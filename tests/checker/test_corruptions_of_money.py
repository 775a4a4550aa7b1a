"""Each corruption of fills, lots, cash, risk, writer and journal is named by its id."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from checker.record import Span, WireEntry, ids_of

S = timedelta(seconds=1)
CENT = Decimal("0.01")


def first_buy(run: Any) -> dict[str, Any]:
    """A purchase that filled."""
    return run.order(state="FILLED", side="buy")


def sent_at(run: Any, row: dict[str, Any]) -> Any:
    """When an order's bytes left."""
    return run.wire[run.sends_of(row["cl_ord_id"])[0]].at


def risk(run: Any, at: Any, state: str, **changes: Any) -> None:
    """One version more of the risk row, in its place; what follows within 2 s says the same."""
    row = {**run.rows.risk_history[0], "at": at, "state": state, "committed_at": None, **changes}
    for other in run.rows.risk_history:
        if at < other["at"] < at + 2 * S:
            other["state"] = state
    run.rows.risk_history.append(row)
    run.rows.risk_history.sort(key=lambda one: one["at"])


def frame(run: Any, text: str, at: Any) -> None:
    """One frame more that arrived on a private connection."""
    run.add(WireEntry(0, at, run.wire[-1].real, "in", "c", "private", text=text))


def resting(run: Any, **changes: Any) -> dict[str, Any]:
    """A limit order of ours that rests at the exchange from the middle of the run on."""
    row = first_buy(run)
    order = next(one for one in run.truth["orders"] if one["cl_ord_id"] == row["cl_ord_id"])
    order.update(time_in_force="gtc", closed_at=None, status="new", **changes)
    return order


def i_07_more_than_ordered(run):
    row = run.rows.trades[0]
    run.rows.trades.append({**row, "exec_id": "TWICE"})


def i_07_row_and_trades_differ(run):
    first_buy(run)["filled_qty"] -= CENT


def i_07_filled_by_its_word_alone(run):
    row = first_buy(run)
    row["qty"] += 1


def i_11_a_fill_is_lost(run):
    run.rows.trades.pop()


def i_11_a_fill_is_booked_twice(run):
    run.rows.trades.append(dict(run.rows.trades[0]))


def i_11_a_fill_that_never_was(run):
    run.rows.trades.append({**run.rows.trades[0], "exec_id": "NEVER"})


def i_11_another_price(run):
    run.rows.trades[0]["price"] += CENT


def i_11_a_fee_is_forgotten(run):
    run.rows.trades[0]["fees"] = "[]"


def i_11_booked_for_somebody_else(run):
    run.rows.trades[0]["owner"] = "external"


def i_11_not_in_the_inbox(run):
    gone = run.rows.trades[0]["exec_id"]
    run.rows.executions = [row for row in run.rows.executions if row["exec_id"] != gone]


def i_12_another_pnl(run):
    next(row for row in run.rows.trades if row["side"] == "sell")["realised_pnl"] += CENT


def i_12_another_cost(run):
    run.rows.lots[0]["cost"] += CENT


def i_12_a_lot_is_missing(run):
    run.rows.lots.pop(0)


def i_13_the_exchange_is_wrong(run):
    run.truth["balances"]["USD"] = str(Decimal(run.truth["balances"]["USD"]) + CENT)


def i_13_a_balance_is_off(run):
    next(row for row in run.rows.balances if row["asset"] == "USD")["balance"] += CENT


def i_13_a_ledger_entry_is_off(run):
    run.rows.ledgers[0]["amount"] += CENT


def i_14_a_cost_is_off(run):
    run.rows.trades[0]["cost"] += CENT


def i_14_a_deposit_is_not_in_the_books(run):
    last = run.truth["ledger"][-1]
    entry = {**last, "ledger_id": "LDEP", "ref_id": "FDEP", "type": "deposit", "asset": "USD"}
    run.truth["ledger"].append({**entry, "amount": "5", "fee": "0"})
    run.truth["balances"]["USD"] = str(Decimal(run.truth["balances"]["USD"]) + 5)


def i_15_lots_hold_more(run):
    run.rows.lots[0]["left_qty"] += CENT


def i_15_a_negative_lot(run):
    run.rows.lots[0]["left_qty"] = -CENT


def i_15_a_lot_from_nowhere(run):
    run.rows.lots[0]["opened_exec_id"] = "NEVER"


def i_17_off_the_step(run):
    for row in run.rows.pairs:
        row["qty_increment"] = Decimal("0.7")


def i_17_off_the_tick(run):
    for row in run.rows.pairs:
        row["price_increment"] = Decimal("0.7")


def i_17_below_the_minimum(run):
    for row in run.rows.pairs:
        row["cost_min"] = Decimal(10) ** 9


def i_18_over_the_cap_of_an_asset(run):
    run.facts = run.facts.but(caps=dataclasses.replace(run.facts.caps, asset=Decimal("0.001")))


def i_18_over_the_cap_of_all(run):
    run.facts = run.facts.but(caps=dataclasses.replace(run.facts.caps, total=Decimal("0.001")))


def i_18_an_order_too_large(run):
    caps = dataclasses.replace(run.facts.caps, order_value=Decimal(1))
    run.facts = run.facts.but(caps=caps)


def i_22_too_much_in_a_minute(run):
    caps = dataclasses.replace(run.facts.caps, notional_per_minute=Decimal(1))
    run.facts = run.facts.but(caps=caps)


def i_22_too_many_in_a_minute(run):
    caps = dataclasses.replace(run.facts.caps, orders_per_minute=0)
    run.facts = run.facts.but(caps=caps)


def i_23_an_order_in_halt(run):
    at = sent_at(run, run.order(state="FILLED", side="sell"))
    risk(run, at - S, "HALT", halted=True)
    risk(run, at + S, "RUN")


def i_23_a_purchase_in_reduce(run):
    at = sent_at(run, first_buy(run))
    risk(run, at - S, "REDUCE")
    risk(run, at + S, "RUN")


def i_23_a_purchase_before_run_was_kept(run):
    next(row for row in run.rows.risk_history if row["state"] == "RUN")["committed_at"] += 60 * S


def i_23_an_amend_in_halt(run):
    risk(run, run.facts.ended_at - 2 * S, "HALT", halted=True)
    text = '{"method":"amend_order","params":{"cl_ord_id":"st1-1"}}'
    frame(run, text, run.facts.ended_at - S)


def i_24_a_purchase_after_the_daily_stop(run):
    risk(run, sent_at(run, first_buy(run)) - S, "REDUCE", day_stopped=True)


def i_24_a_stop_that_lifts_itself(run):
    risk(run, run.facts.ended_at - 5 * S, "REDUCE", day_stopped=True)
    risk(run, run.facts.ended_at - 4 * S, "RUN", day_stopped=False)


def i_24_a_halt_that_lifts_itself(run):
    risk(run, run.facts.ended_at - 5 * S, "HALT", halted=True)
    risk(run, run.facts.ended_at - 4 * S, "RUN", halted=False)


def i_33_two_entries_in_a_candle(run):
    run.facts = run.facts.but(candle=timedelta(days=1))


def i_21_no_price_for_a_while(run):
    at = sent_at(run, first_buy(run))
    run.wire = [one for one in run.wire if not (one.on == "public" and -12 * S < one.at - at < S)]


def i_26_an_older_daemon_sends(run):
    last = run.rows.orders[-1]["cl_ord_id"]
    run.rewrite(last, f'"{last}"', '"st1-1"')


def i_26_an_older_daemon_writes(run):
    run.rows.journal[-1]["epoch"] -= 1


def i_26_a_row_of_another_epoch(run):
    run.rows.orders[0]["epoch"] += 1


def i_27_an_order_outlives_a_pause(run):
    row = first_buy(run)
    at = sent_at(run, row)
    row["approved_at"] = at - 20 * S
    run.facts = run.facts.but(pauses=(Span(at - 11 * S, at - S / 100, "stop"),))


def i_27_no_look_after_a_pause(run):
    at = sent_at(run, first_buy(run))
    run.facts = run.facts.but(pauses=(Span(at - 11 * S, at - S, "stop"),))
    run.wire = [entry for entry in run.wire if entry.way != "rest" or entry.at < at - 11 * S]


def i_27_no_look_before_the_first_purchase_over_a_connection(run):
    at = sent_at(run, first_buy(run))
    run.wire = [entry for entry in run.wire if entry.way != "rest" or entry.at > at]


def i_28_an_order_after_the_kill_switch(run):
    at = sent_at(run, first_buy(run))
    run.facts = run.facts.but(halts=((at - S, "halt"),))


def i_28_nothing_is_cancelled(run):
    order = resting(run)
    run.facts = run.facts.but(halts=((run.facts.ended_at - 2 * S, "halt"),))
    assert order["closed_at"] is None


def i_29_armed_while_nothing_rests(run):
    text = '{"method":"cancel_all_orders_after","params":{"timeout":60}}'
    frame(run, text, run.facts.calm_at)


def i_29_armed_for_too_long(run):
    resting(run)
    text = '{"method":"cancel_all_orders_after","params":{"timeout":90}}'
    frame(run, text, run.facts.ended_at - S)


def i_29_not_armed_while_an_entry_rests(run):
    resting(run)


def _nonces(run: Any) -> list[int]:
    return [i for i, entry in enumerate(run.wire) if entry.body.startswith("nonce=")]


def _marked(run: Any) -> dict[str, Any]:
    return next(row for row in run.rows.marks if row["roi_pct"] is not None)


def i_42_a_snapshot_saw_an_event_of_later(run):
    row = run.rows.snapshots[0]
    row["moments"] = [*row["moments"], (row["as_of"] + S).isoformat()]


def i_42_a_mark_is_of_a_price_before_its_horizon(run):
    row = _marked(run)
    row["mid_at"] = row["due_at"] - S


def i_42_a_mark_is_of_a_price_of_much_later(run):
    row = _marked(run)
    row["mid_at"] = row["scored_at"] = row["due_at"] + row["horizon_s"] * 2 * S


def i_42_a_mark_says_another_change(run):
    _marked(run)["roi_pct"] += 0.01


def i_42_a_mark_is_lost(run):
    row = _marked(run)
    row.update(scored_at=None, outcome_mid=None, mid_at=None, roi_pct=None)
    run.facts = run.facts.but(ended_at=row["due_at"] + 400 * S)


def i_42_a_mark_is_void_too_early(run):
    row = _marked(run)
    row.update(outcome_mid=None, mid_at=None, roi_pct=None, void_reason="mark_gap")


def i_42_an_approved_decision_was_not_written_down(run):
    first = next(r for r in run.rows.decisions if r["verdict"] == "approved" and r["call_id"])
    run.rows.marks = [r for r in run.rows.marks if r["decision_id"] != first["decision_id"]]


def i_48_a_nonce_again(run):
    first, second, *_ = _nonces(run)
    run.wire[second] = dataclasses.replace(run.wire[second], body=run.wire[first].body)


def i_48_a_nonce_goes_back(run):
    last = _nonces(run)[-1]
    run.wire[last] = dataclasses.replace(run.wire[last], body="nonce=5")


def i_50_an_unknown_configuration(run):
    run.rows.orders[0]["config_hash"] = "?"


def i_50_two_configurations_in_a_cycle(run):
    cycle = run.rows.decisions[0]["cycle_id"]
    run.rows.decisions.append({**run.rows.decisions[0], "cycle_id": cycle, "config_hash": "?"})


def i_52_an_event_is_changed(run):
    row = run.rows.journal[2]
    row["payload"] = run.rows.journal[1]["payload"]


def i_52_a_segment_is_missing(run):
    run.rows.journal.pop(1)


def i_52_the_chain_is_cut(run):
    run.rows.journal[1]["prev_hash"] = bytes(32)


def i_52_a_segment_is_damaged(run):
    run.rows.journal[1]["payload"] = b"no zlib"


CORRUPTIONS: list[Callable[[Any], None]] = [
    made for name, made in list(globals().items()) if name.startswith("i_") and callable(made)
]


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda made: made.__name__)
def test_a_corruption_is_named_by_its_id(run, corrupt):
    corrupt(run)
    ident = f"I-{corrupt.__name__[2:4]}"
    assert ids_of(run.judged(ident)) == {ident}


def test_every_rule_has_a_corruption():
    from checker import test_corruptions_of_orders as orders
    from checker.check import RULES

    made = [*CORRUPTIONS, *orders.CORRUPTIONS]
    assert {f"I-{one.__name__[2:4]}" for one in made} == set(RULES)


def test_i_23_p04_a_date_of_a_clock_that_is_off_is_no_purchase_in_reduce(run):
    at = sent_at(run, first_buy(run))
    row = next(row for row in run.rows.risk_history if row["state"] == "RUN")
    row["at"] = at + S
    assert run.judged("I-23") == []
    row["committed_at"] = None
    assert ids_of(run.judged("I-23")) == {"I-23"}
