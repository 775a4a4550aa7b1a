"""ORDER, TRADE, ledger and fee rows as the private REST endpoints show them (section 11.5)."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from simple_trader.sandbox import wire
from simple_trader.sandbox.amends import AmendRow
from simple_trader.sandbox.names import precision_of, rest_name
from simple_trader.sandbox.sources import to_us
from simple_trader.simulator.fees import Tier
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import ZERO, Conditional, Entry, Order, PriceType, Trade

Row = dict[str, Any]

_STATUS = {"pending_new": "pending", "new": "open", "partially_filled": "open", "filled": "closed"}


def order_row(order: Order, pair: Instrument, *, trades: bool) -> Row:
    """Give an order as REST shows it; `trades` adds the ids of its fills."""
    average = order.cum_cost / order.cum_qty if order.cum_qty else ZERO
    trigger = order.trigger
    fired = trigger is not None and trigger.triggered
    stop = trigger.actual_price if trigger is not None and fired else ZERO
    first, second = prices_text(order, pair)
    row: Row = {
        "refid": order.parent_id,
        "link_id": order.replaces,
        "userref": order.userref or None,
        "status": _STATUS.get(order.status, order.status),
        "opentm": seconds(order.opened_at),
        "starttm": 0 if order.effective_at is None else seconds(order.effective_at),
        "expiretm": 0 if order.expire_at is None else seconds(order.expire_at),
        "descr": {
            "pair": pair.altname,
            "aclass": "forex",
            "type": order.side,
            "ordertype": order.order_type,
            "price": first,
            "price2": second,
            "leverage": "none",
            "order": describe(order, pair),
            "close": "" if order.close is None else describe_close(order.close, pair),
        },
        "vol": lots(order.qty, pair),
        "vol_exec": lots(order.cum_qty, pair),
        "cost": f"{order.cum_cost:.{pair.cost_precision}f}",
        "fee": fee_text(order.fee, pair, in_base=order.fee_in_base),
        "price": price_text(average, pair),
        "stopprice": price_text(stop, pair),
        "limitprice": price_text((order.limit_price or ZERO) if fired else ZERO, pair),
        "misc": _misc(order),
        "oflags": _flags(order),
        "time_in_force": order.time_in_force.upper(),
    }
    if row["link_id"] is None:
        del row["link_id"]
    if trigger is not None:
        row["trigger"] = trigger.reference
    if order.display_qty is not None:
        row["displayvol"] = lots(order.display_qty, pair)
    if order.cl_ord_id is not None:
        row["cl_ord_id"] = order.cl_ord_id
    if order.sender_sub_id is not None:
        row["sender_sub_id"] = order.sender_sub_id
    if order.closed_at is not None:
        row["closetm"] = seconds(order.closed_at)
        row["reason"] = order.reason
    if trades:
        row["trades"] = order.trades
    return row


def _misc(order: Order) -> str:
    words = []
    if order.trigger is not None and order.trigger.triggered:
        words.append("touched" if order.order_type.startswith("take-profit") else "stopped")
    if order.status == "canceled" and order.cum_qty:
        words.append("partial")
    if order.amended:
        words.append("amended")
    return ",".join(words)


def _flags(order: Order) -> str:
    flags = ["fcib" if order.fee_in_base else "fciq"]
    if order.post_only:
        flags.append("post")
    if order.cash_qty is not None:
        flags.append("viqc")
    return ",".join(flags)


def prices_text(order: Order, pair: Instrument) -> tuple[str, str]:
    """Give descr.price and descr.price2: trigger and limit, or the limit alone."""
    limit = "0"
    if order.limit_price is not None:
        limit = offset_text(order.limit_price, order.limit_price_type, pair)
    if order.trigger is None:
        return limit, "0"
    return offset_text(order.trigger.price, order.trigger.price_type, pair), limit


def describe(order: Order, pair: Instrument) -> str:
    """Say an order in Kraken's words, `buy 1.25000000 XBTUSD @ limit 27500.0`."""
    head = f"{order.side} {lots(order.qty, pair)} {pair.altname} @ "
    first, second = prices_text(order, pair)
    return head + _terms(order.order_type, first, second, triggered=order.trigger is not None)


def describe_close(close: Conditional, pair: Instrument) -> str:
    """Say a conditional close in Kraken's words."""
    limit = trigger = "0"
    if close.limit_price is not None:
        limit = offset_text(close.limit_price, close.limit_price_type, pair)
    if close.trigger_price is not None:
        trigger = offset_text(close.trigger_price, close.trigger_price_type, pair)
    has_trigger = close.trigger_price is not None
    first, second = (trigger, limit) if has_trigger else (limit, "0")
    return "close position @ " + _terms(close.order_type, first, second, triggered=has_trigger)


def _terms(order_type: str, first: str, second: str, *, triggered: bool) -> str:
    if order_type == "market":
        return "market"
    if not triggered:
        return f"{order_type} {first}"
    plain = order_type.removesuffix("-limit").replace("-", " ")
    return (
        f"{plain} {first} -> limit {second}"
        if order_type.endswith("-limit")
        else (f"{plain} {first}")
    )


def offset_text(price: Decimal, kind: PriceType, pair: Instrument) -> str:
    """Print a price, or an offset with its sign and percent mark."""
    if kind == "pct":
        return f"{price:+.4f}%"
    text = price_text(price, pair)
    return text if kind == "static" or text.startswith("-") else f"+{text}"


def trade_row(trade: Trade, pair: Instrument, *, ledgers: bool) -> Row:
    """Give a fill as REST shows it."""
    row: Row = {
        "ordertxid": trade.order_id,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": pair.rest_id,
        "aclass": "forex",
        "time": seconds(trade.at),
        "type": trade.side,
        "ordertype": trade.order_type,
        "price": price_text(trade.price, pair),
        "cost": f"{trade.cost:.{pair.cost_precision}f}",
        "fee": fee_text(trade.fee, pair, in_base=trade.fee_asset == pair.base),
        "vol": lots(trade.qty, pair),
        "margin": f"{ZERO:.{pair.cost_precision}f}",
        "leverage": "0",
        "misc": "",
        "trade_id": trade.trade_id,
        "maker": trade.liquidity == "m",
    }
    if trade.cl_ord_id is not None:
        row["cl_ord_id"] = trade.cl_ord_id
    if ledgers:
        row["ledgers"] = list(trade.ledgers)
    return row


def entry_row(entry: Entry) -> Row:
    """Give a ledger entry as REST shows it."""
    return {
        "refid": entry.ref_id,
        "time": seconds(entry.at),
        "type": entry.kind,
        "subtype": "",
        "aclass": "currency",
        "asset": rest_name(entry.asset),
        "amount": amount_text(entry.amount, entry.asset),
        "fee": amount_text(entry.fee, entry.asset),
        "balance": amount_text(entry.balance, entry.asset),
    }


def amend_row(row: AmendRow, pair: Instrument) -> Row:
    """Give one state of an order as OrderAmends shows it; the stamp is in milliseconds."""
    answer: Row = {
        "amend_id": row.amend_id,
        "amend_type": row.kind,
        "order_qty": lots(row.qty, pair),
        "remaining_qty": lots(row.remaining, pair),
        "post_only": row.post_only,
        "reason": row.reason or None,
        "timestamp": to_us(row.at) // 1000,
    }
    if row.limit_price is not None:
        answer["limit_price"] = price_text(row.limit_price, pair)
    if row.trigger_price is not None:
        answer["trigger_price"] = price_text(row.trigger_price, pair)
    if row.display_qty is not None:
        answer["display_qty"] = lots(row.display_qty, pair)
    return answer


def tier_row(tiers: tuple[Tier, ...], volume: Decimal, *, maker: bool) -> Row:
    """Give the fee of a 30-day volume and what the next tier asks for."""
    reached = max(index for index, tier in enumerate(tiers) if volume >= tier.volume)

    def percent(index: int) -> str:
        return f"{tiers[index].maker_pct if maker else tiers[index].taker_pct:.4f}"

    last = reached == len(tiers) - 1
    return {
        "fee": percent(reached),
        "minfee": percent(len(tiers) - 1),
        "maxfee": percent(0),
        "nextfee": None if last else percent(reached + 1),
        "nextvolume": None if last else f"{tiers[reached + 1].volume:.4f}",
        "tiervolume": f"{tiers[reached].volume:.4f}",
    }


def amount_text(amount: Decimal, asset: str) -> str:
    """Print an amount at its asset's precision."""
    return f"{amount:.{precision_of(asset)}f}"


def lots(qty: Decimal, pair: Instrument) -> str:
    """Print a quantity of base currency."""
    return f"{qty:.{pair.qty_precision}f}"


def price_text(price: Decimal, pair: Instrument) -> str:
    """Print a price."""
    return f"{price.quantize(pair.tick, ROUND_HALF_EVEN):f}"


def fee_text(fee: Decimal, pair: Instrument, *, in_base: bool) -> str:
    """Print a fee in base or quote currency."""
    return f"{fee:.{precision_of(pair.base) if in_base else pair.cost_precision}f}"


def seconds(moment: datetime) -> Any:
    """Print a moment as float seconds with six decimals."""
    return wire.number(wire.fixed(to_us(moment), 6))
