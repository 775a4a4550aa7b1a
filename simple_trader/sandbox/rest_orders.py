"""The private REST endpoints that change orders (protocol section 11.5)."""

from typing import Any

from simple_trader.sandbox import rest_words
from simple_trader.sandbox.batch_desk import LEAST_ORDERS, MOST_IDS, MOST_ORDERS, batch_ids
from simple_trader.sandbox.order_desk import (
    FROZEN,
    MAX_SWITCH_S,
    arm_switch,
    closed_count,
    find_open,
    named_orders,
    outcome,
    refusal,
    userref_orders,
)
from simple_trader.sandbox.rest_rows import describe, describe_close, lots, prices_text
from simple_trader.sandbox.rest_shared import (
    ApiError,
    Call,
    exact,
    flag,
    invalid,
    one_pair,
    rows_of,
    whole,
    words_of,
)
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import (
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Command,
    Order,
    PlaceBatch,
)
from simple_trader.simulator.reports import Amended, BatchReports, Opened, Refused, Report
from simple_trader.simulator.venue import UNKNOWN_ORDER


def _refuse_frozen(call: Call) -> None:
    if call.floor.frozen:
        raise ApiError(FROZEN)


def _done(call: Call, command: Command) -> list[Report]:
    """Carry a command out and publish it; raises ApiError when it was refused."""
    _refuse_frozen(call)
    reports = call.floor.execute(command)
    call.floor.publish(reports)
    error = refusal(reports)
    if error is not None:
        raise ApiError(_rest_error(error))
    return reports


def _rest_error(error: str) -> str:
    # REST has a word of its own for a pair that is not there.
    return "EQuery:Unknown asset pair" if error.startswith("Currency pair") else error


def _descr(order: Order, pair: Instrument) -> dict[str, Any]:
    descr = {"order": describe(order, pair)}
    if order.close is not None:
        descr["close"] = describe_close(order.close, pair)
    return descr


def add_order(call: Call) -> Any:
    """Place an order; without txid when it was only validated."""
    _refuse_frozen(call)
    _, pair = one_pair(call.floor, call.fields)
    reports = _done(call, rest_words.place_of(call, call.fields, pair))
    error, order = outcome(reports)
    if order is None:
        raise ApiError(error)
    answer: dict[str, Any] = {"descr": _descr(order, pair)}
    if isinstance(reports[0], Opened):
        answer["txid"] = [order.order_id]
        if order.cl_ord_id is not None:
            answer["cl_ord_id"] = order.cl_ord_id
    return answer


def add_order_batch(call: Call) -> Any:
    """Place 2 to 15 orders of one pair; each is answered by itself."""
    _, pair = one_pair(call.floor, call.fields)
    rows = rows_of(call.fields, "orders")
    if not LEAST_ORDERS <= len(rows) <= MOST_ORDERS:
        raise invalid("orders")
    places = tuple(rest_words.place_of(call, row, pair, batch=True) for row in rows)
    batch = PlaceBatch(
        symbol=pair.symbol,
        orders=places,
        account=call.account,
        deadline=rest_words.wire_moment(call.fields, "deadline"),
        validate=flag(call.fields, "validate"),
    )
    first = _done(call, batch)[0]
    if not isinstance(first, BatchReports):
        raise ApiError("EGeneral:Internal error")
    answers: list[dict[str, Any]] = []
    for part in first.parts:
        if isinstance(part[0], Refused):
            answers.append({"error": part[0].error})
            continue
        _, order = outcome(list(part))
        if order is None:
            answers.append({"error": "EGeneral:Internal error"})
            continue
        answer: dict[str, Any] = {"descr": _descr(order, pair)}
        if isinstance(part[0], Opened):
            answer["txid"] = order.order_id
            if order.cl_ord_id is not None:
                answer["cl_ord_id"] = order.cl_ord_id
        answers.append(answer)
    return {"orders": answers}


def amend_order(call: Call) -> Any:
    """Change an open order in place, by venue id or client id."""
    _refuse_frozen(call)
    fields = call.fields
    named = [name for name in ("txid", "cl_ord_id") if fields.get(name)]
    if len(named) != 1:
        raise invalid("txid")
    kind = "order_id" if named[0] == "txid" else "cl_ord_id"
    order = find_open(call.floor, call.account, kind, fields[named[0]])
    if order is None:
        raise ApiError(UNKNOWN_ORDER)
    pair = call.floor.venue.pairs[order.symbol]
    limit, limit_type = rest_words.amended_price(call.floor, fields, "limit_price", order, pair)
    trigger, trigger_type = rest_words.amended_price(
        call.floor, fields, "trigger_price", order, pair
    )
    reports = _done(
        call,
        Amend(
            order_id=order.order_id,
            account=call.account,
            qty=exact(fields, "order_qty"),
            limit_price=limit,
            limit_price_type=limit_type,
            trigger_price=trigger,
            trigger_price_type=trigger_type,
            display_qty=exact(fields, "display_qty"),
            post_only=flag(fields, "post_only"),
            deadline=rest_words.wire_moment(fields, "deadline"),
        ),
    )
    amended = next((r for r in reports if isinstance(r, Amended)), None)
    return {"amend_id": "" if amended is None else amended.amend_id}


def edit_order(call: Call) -> Any:
    """Cancel an order and put another in its place (legacy)."""
    _refuse_frozen(call)
    named = call.fields.get("txid", "")
    found = _by_txid(call, named)
    if not found:
        raise ApiError(UNKNOWN_ORDER)
    reports = _done(call, rest_words.edit_of(call, found[0]))
    error, order = outcome(reports)
    if order is None:
        raise ApiError(error)
    pair = call.floor.venue.pairs[order.symbol]
    done = not flag(call.fields, "validate")
    first, second = prices_text(order, pair)
    return {
        "status": "ok",
        "txid": order.order_id,
        "originaltxid": found[0].order_id,
        "orders_cancelled": int(done),
        "volume": lots(order.qty, pair),
        "price": first,
        "price2": second,
        "descr": _descr(order, pair),
    }


def _by_txid(call: Call, name: str) -> list[Order]:
    """Find open orders by venue id, or by a userref in its place."""
    found = named_orders(call.floor, call.account, "order_id", name)
    return found or userref_orders(call.floor, call.account, name)


def cancel_order(call: Call) -> Any:
    """Cancel by venue id, by userref, or by client id."""
    _refuse_frozen(call)
    txid, client_id = call.fields.get("txid"), call.fields.get("cl_ord_id")
    if txid:
        wanted = _by_txid(call, txid)
    elif client_id:
        wanted = named_orders(call.floor, call.account, "cl_ord_id", client_id)
    elif call.fields.get("userref"):
        wanted = _by_txid(call, call.fields["userref"])
    else:
        raise invalid("txid")
    if not wanted:
        raise ApiError(UNKNOWN_ORDER)
    for order in wanted:
        _done(call, Cancel(order.order_id, call.account))
    return {"count": len(wanted)}


def cancel_order_batch(call: Call) -> Any:
    """Cancel up to 50 orders by venue id, userref or client id."""
    ids = [("order_id", text) for text in words_of(call.fields, "orders")]
    ids += [("cl_ord_id", text) for text in words_of(call.fields, "cl_ord_ids")]
    if not 1 <= len(ids) <= MOST_IDS:
        raise invalid("orders")
    chosen = batch_ids(call.floor, call.account, ids)
    return {"count": closed_count(_done(call, CancelBatch(tuple(chosen), call.account)))}


def cancel_all(call: Call) -> Any:
    """Cancel every open order of the account."""
    return {"count": closed_count(_done(call, CancelAll(account=call.account)))}


def cancel_all_after(call: Call) -> Any:
    """Arm or disarm the account's dead man's switch."""
    _refuse_frozen(call)
    timeout = whole(call.fields, "timeout", -1)
    if not 0 <= timeout < MAX_SWITCH_S:
        raise invalid("timeout")
    return arm_switch(call.floor, call.account, timeout)
