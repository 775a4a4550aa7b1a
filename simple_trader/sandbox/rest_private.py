"""The private REST endpoints that only read, and the token (protocol section 11.5)."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeVar

from simple_trader.sandbox import wire
from simple_trader.sandbox.rest_shared import (
    PAGE,
    ApiError,
    Fields,
    RestFloor,
    exact,
    flag,
    invalid,
    named_pairs,
    whole,
)
from simple_trader.sandbox.sources import to_us
from simple_trader.simulator.accounts import holds
from simple_trader.simulator.fees import TIERS, tier_at
from simple_trader.simulator.instruments import ASSET_BY_NAME, Instrument, find_asset
from simple_trader.simulator.orders import MAIN, ZERO, Entry, Order, Trade

TOKEN_LIFE_S = 900
_Row = TypeVar("_Row")


class Private:
    """Reads the one account of the exchange."""

    def __init__(self, floor: RestFloor) -> None:
        self._floor = floor

    # --- balances -------------------------------------------------------------------------------

    def balance(self, fields: Fields) -> Any:
        """Give total balances by REST asset id."""
        return {
            ASSET_BY_NAME[name].rest_id: _amount(amount, name)
            for name, amount in self._floor.venue.state.accounts[MAIN].balances.items()
        }

    def balance_ex(self, fields: Fields) -> Any:
        """Give balances and what open orders hold."""
        venue = self._floor.venue
        held = holds(venue.open.values(), venue.pairs)
        return {
            ASSET_BY_NAME[name].rest_id: {
                "balance": _amount(amount, name),
                "hold_trade": _amount(held.get(name, ZERO), name),
            }
            for name, amount in venue.state.accounts[MAIN].balances.items()
        }

    def trade_balance(self, fields: Fields) -> Any:
        """Give the value of all balances in USD at last prices; there is no margin."""
        floor, total = self._floor, ZERO
        for name, amount in floor.venue.state.accounts[MAIN].balances.items():
            if name == "USD":
                total += amount
                continue
            market = floor.market(f"{name}/USD")
            last = market.last.tick if market.last else 0
            total += amount * market.pair.price_of(last)
        text = f"{total.quantize(Decimal('0.0001'), ROUND_HALF_EVEN):f}"
        zero = "0.0000"
        return {
            "eb": text, "tb": text, "m": zero, "n": zero, "c": zero, "v": zero, "e": text,
            "mf": text, "mfo": text, "uv": zero,
        }  # fmt: skip

    # --- orders ---------------------------------------------------------------------------------

    def open_orders(self, fields: Fields) -> Any:
        """Give open orders, by `cl_ord_id` or `userref` when named."""
        orders = _matching(self._floor.venue.open.values(), fields)
        return {"open": {o.order_id: self._order(o, fields) for o in orders}}

    def closed_orders(self, fields: Fields) -> Any:
        """Give closed orders, newest first, 50 a page."""
        by_open = fields.get("closetime") == "open"
        closed = [
            order
            for order in _matching(self._floor.venue.state.orders.values(), fields)
            if order.closed_at is not None
            and _within(order.opened_at if by_open else order.closed_at, fields)
        ]
        closed.sort(key=lambda order: order.closed_at or order.opened_at, reverse=True)
        rows = {order.order_id: self._order(order, fields) for order in _page(closed, fields)}
        return {"closed": rows, "count": len(closed)}

    def query_orders(self, fields: Fields) -> Any:
        """Give up to 50 orders by id."""
        orders = self._floor.venue.state.orders
        wanted = _ids(fields, "txid", PAGE)
        missing = [order_id for order_id in wanted if order_id not in orders]
        if missing:
            raise ApiError("EOrder:Invalid order")
        return {order_id: self._order(orders[order_id], fields) for order_id in wanted}

    def _order(self, order: Order, fields: Fields) -> dict[str, Any]:
        pair = self._floor.venue.pairs[order.symbol]
        average = order.cum_cost / order.cum_qty if order.cum_qty else ZERO
        status = {"new": "open", "partially_filled": "open", "filled": "closed"}.get(
            order.status, order.status
        )
        limit = order.limit_price if order.limit_price is not None else ZERO
        flags = ["fcib" if order.fee_in_base else "fciq"]
        if order.post_only:
            flags.append("post")
        if order.cash_qty is not None:
            flags.append("viqc")
        row: dict[str, Any] = {
            "refid": None,
            "userref": order.userref or None,
            "status": status,
            "opentm": _seconds(order.opened_at),
            "starttm": 0,
            "expiretm": 0 if order.expire_at is None else _seconds(order.expire_at),
            "descr": {
                "pair": pair.altname,
                "aclass": "forex",
                "type": order.side,
                "ordertype": order.order_type,
                "price": _price(limit, pair) if order.limit_price is not None else "0",
                "price2": "0",
                "leverage": "none",
                "order": describe(order, pair),
                "close": "",
            },
            "vol": wire.fixed(pair.lots_of(order.qty) or 0, pair.qty_precision),
            "vol_exec": wire.fixed(pair.lots_of(order.cum_qty) or 0, pair.qty_precision),
            "cost": f"{order.cum_cost:.{pair.cost_precision}f}",
            "fee": _fee(order.fee, pair, in_base=order.fee_in_base),
            "price": _price(average, pair),
            "stopprice": _price(ZERO, pair),
            "limitprice": _price(ZERO, pair),
            "misc": "amended" if order.amended else "",
            "oflags": ",".join(flags),
            "time_in_force": order.time_in_force.upper(),
        }
        if order.cl_ord_id is not None:
            row["cl_ord_id"] = order.cl_ord_id
        if order.closed_at is not None:
            row["closetm"] = _seconds(order.closed_at)
            row["reason"] = order.reason
        if flag(fields, "trades"):
            row["trades"] = order.trades
        return row

    # --- trades and ledger ------------------------------------------------------------------------

    def trades_history(self, fields: Fields) -> Any:
        """Give fills, newest first, 50 a page."""
        trades = [t for t in self._floor.venue.state.trades if _within(t.at, fields)]
        trades.reverse()
        rows = {trade.exec_id: self._trade(trade, fields) for trade in _page(trades, fields)}
        return {"trades": rows, "count": len(trades)}

    def query_trades(self, fields: Fields) -> Any:
        """Give up to 20 fills by id."""
        wanted = _ids(fields, "txid", 20)
        known = {t.exec_id: t for t in self._floor.venue.state.trades if t.exec_id in wanted}
        if len(known) != len(set(wanted)):
            raise ApiError("EQuery:Unknown trade")
        return {exec_id: self._trade(known[exec_id], fields) for exec_id in wanted}

    def _trade(self, trade: Trade, fields: Fields) -> dict[str, Any]:
        pair = self._floor.venue.pairs[trade.symbol]
        row: dict[str, Any] = {
            "ordertxid": trade.order_id,
            "postxid": "TKH2SE-M7IF5-CFI7LT",
            "pair": pair.rest_id,
            "time": _seconds(trade.at),
            "type": trade.side,
            "ordertype": trade.order_type,
            "price": _price(trade.price, pair),
            "cost": f"{trade.cost:.{pair.cost_precision}f}",
            "fee": _fee(trade.fee, pair, in_base=trade.fee_asset == pair.base),
            "vol": wire.fixed(pair.lots_of(trade.qty) or 0, pair.qty_precision),
            "margin": f"{ZERO:.{pair.cost_precision}f}",
            "leverage": "0",
            "misc": "",
            "trade_id": trade.trade_id,
            "maker": trade.liquidity == "m",
        }
        if trade.cl_ord_id is not None:
            row["cl_ord_id"] = trade.cl_ord_id
        if flag(fields, "ledgers"):
            row["ledgers"] = list(trade.ledgers)
        return row

    def ledgers(self, fields: Fields) -> Any:
        """Give ledger entries, newest first, 50 a page."""
        names: set[str] = set()
        if fields.get("asset", "all") != "all":
            for name in fields["asset"].split(","):
                asset = find_asset(name)
                if asset is None:
                    raise ApiError("EQuery:Unknown asset")
                names.add(asset.name)
        kind = fields.get("type", "all")
        entries = [
            entry
            for entry in self._floor.venue.state.accounts[MAIN].ledger
            if (not names or entry.asset in names)
            and kind in ("all", entry.kind)
            and _within(entry.at, fields)
        ]
        entries.reverse()
        rows = {entry.ledger_id: _entry(entry) for entry in _page(entries, fields)}
        return {"ledger": rows, "count": len(entries)}

    def query_ledgers(self, fields: Fields) -> Any:
        """Give up to 20 ledger entries by id."""
        wanted = _ids(fields, "id", 20)
        ledger = self._floor.venue.state.accounts[MAIN].ledger
        known = {entry.ledger_id: entry for entry in ledger if entry.ledger_id in wanted}
        if len(known) != len(set(wanted)):
            raise ApiError("EQuery:Unknown ledger")
        return {ledger_id: _entry(known[ledger_id]) for ledger_id in wanted}

    def trade_volume(self, fields: Fields) -> Any:
        """Give the 30-day volume and the fee tier it has reached."""
        floor = self._floor
        volume = floor.venue.state.accounts[MAIN].volume.at(floor.now)
        reached = tier_at(volume)
        answer: dict[str, Any] = {"currency": "ZUSD", "volume": f"{volume:.4f}"}
        if fields.get("pair"):
            pairs = named_pairs(floor, fields["pair"])
            answer["fees"] = {key: _tier(reached, maker=False) for key, _ in pairs}
            answer["fees_maker"] = {key: _tier(reached, maker=True) for key, _ in pairs}
        return answer

    def token(self, fields: Fields) -> Any:
        """Issue a WebSocket token."""
        return {"token": self._floor.keys.issue_token(), "expires": TOKEN_LIFE_S}


def describe(order: Order, pair: Instrument) -> str:
    """Say an order in Kraken's words, `buy 1.25000000 XBTUSD @ limit 27500.0`."""
    qty = wire.fixed(pair.lots_of(order.qty) or 0, pair.qty_precision)
    if order.limit_price is None:
        return f"{order.side} {qty} {pair.altname} @ market"
    return f"{order.side} {qty} {pair.altname} @ limit {_price(order.limit_price, pair)}"


def _tier(reached: int, *, maker: bool) -> dict[str, Any]:
    def percent(index: int) -> str:
        return f"{TIERS[index].maker_pct if maker else TIERS[index].taker_pct:.4f}"

    last = reached == len(TIERS) - 1
    return {
        "fee": percent(reached),
        "minfee": percent(len(TIERS) - 1),
        "maxfee": percent(0),
        "nextfee": None if last else percent(reached + 1),
        "nextvolume": None if last else f"{TIERS[reached + 1].volume:.4f}",
        "tiervolume": f"{TIERS[reached].volume:.4f}",
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "refid": entry.ref_id,
        "time": _seconds(entry.at),
        "type": entry.kind,
        "subtype": "",
        "aclass": "currency",
        "asset": ASSET_BY_NAME[entry.asset].rest_id,
        "amount": _amount(entry.amount, entry.asset),
        "fee": _amount(entry.fee, entry.asset),
        "balance": _amount(entry.balance, entry.asset),
    }


def _amount(amount: Decimal, asset: str) -> str:
    return f"{amount:.{ASSET_BY_NAME[asset].precision}f}"


def _price(price: Decimal, pair: Instrument) -> str:
    return f"{price.quantize(pair.tick, ROUND_HALF_EVEN):f}"


def _fee(fee: Decimal, pair: Instrument, *, in_base: bool) -> str:
    precision = ASSET_BY_NAME[pair.base].precision if in_base else pair.cost_precision
    return f"{fee:.{precision}f}"


def _seconds(moment: datetime) -> Any:
    return wire.number(wire.fixed(to_us(moment), 6))


def _within(moment: datetime, fields: Fields) -> bool:
    start, end = exact(fields, "start"), exact(fields, "end")
    at = Decimal(to_us(moment)).scaleb(-6)
    return (start is None or at > start) and (end is None or at <= end)


def _matching(orders: Iterable[Order], fields: Fields) -> list[Order]:
    client_id, userref = fields.get("cl_ord_id"), fields.get("userref")
    return [
        order
        for order in orders
        if (not client_id or order.cl_ord_id == client_id)
        and (not userref or str(order.userref) == userref)
    ]


def _page(rows: list[_Row], fields: Fields) -> list[_Row]:
    offset = whole(fields, "ofs", 0)
    if offset < 0:
        raise invalid("ofs")
    return rows[offset : offset + PAGE]


def _ids(fields: Fields, name: str, most: int) -> list[str]:
    wanted = [part.strip() for part in fields.get(name, "").split(",") if part.strip()]
    if not wanted or len(wanted) > most:
        raise invalid(name)
    return wanted
