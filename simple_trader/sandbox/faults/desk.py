"""The operator's desk: what faults and the control socket do to the exchange itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from simple_trader.sandbox import wire
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults.books import Level
from simple_trader.sandbox.faults.spec import FaultError
from simple_trader.sandbox.rest_rows import order_row
from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import ASSET_BY_NAME
from simple_trader.simulator.orders import (
    MAIN,
    REASON_SWITCH,
    REASON_USER,
    Cancel,
    CancelAll,
    Command,
    Entry,
    Order,
    PairStatus,
    Place,
    SetPair,
    SetSystem,
    SetVolume,
    Side,
    SystemStatus,
    Trade,
    Transfer,
    TransferKind,
)
from simple_trader.simulator.reports import Refused, Report

Args = Mapping[str, Any]

MOST_WICK_PERCENT, MOST_WICK_S = 1000, 86_400


class Desk:
    """Acts on an exchange as its operator; every command is journaled like a client's."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._deeds: dict[str, Callable[[Args], Any]] = {
            "system": self._system,
            "pair": self._pair,
            "transfer": self._transfer,
            "volume": self._volume,
            "cancel": self._cancel,
            "cancel_all": self._cancel_all,
            "switch": lambda args: self._cancel_all({**args, "reason": REASON_SWITCH}),
            "place": self._place,
            "trade": self._trade,
            "fill": self._fill,
            "wick": self._wick,
        }

    def do(self, name: str, args: Args) -> Any:
        """Do one thing by name and give what came of it; raises FaultError with one sentence."""
        deed = self._deeds.get(name)
        if deed is None:
            raise FaultError(f"there is no deed {name!r}: take one of {', '.join(self._deeds)}")
        if self._exchange.frozen:
            raise FaultError("this sandbox is frozen: nothing can be done to it")
        try:
            return deed(args)
        except (msgspec.ValidationError, InvalidOperation, KeyError) as error:
            raise FaultError(f"do {name}: {_said(error)}") from error
        except SandboxError as error:
            raise FaultError(str(error).rstrip(".")) from error

    # --- questions --------------------------------------------------------------------------

    def order(self, order_id: str) -> Order | None:
        """Give an order by its venue id."""
        return self._exchange.venue.state.orders.get(order_id)

    def find(self, name: str, value: Any, account: str = MAIN) -> Order | None:
        """Find an open order by order_id or cl_ord_id."""
        if name == "order_id":
            return self._exchange.venue.open.get(str(value))
        return self._exchange.venue.find_open(account, str(value))

    @property
    def now(self) -> datetime:
        """Market time."""
        return self._exchange.now

    @property
    def system(self) -> str:
        """The status of the whole exchange."""
        return self._exchange.venue.system

    def since(self, count: int) -> list[Order]:
        """Give the orders that came after the first `count` ones."""
        return list(self._exchange.venue.state.orders.values())[count:]

    def count(self) -> int:
        """Count all orders ever."""
        return len(self._exchange.venue.state.orders)

    def trade(self, exec_id: str) -> Trade | None:
        """Give a fill by its id."""
        trades = self._exchange.venue.state.trades
        return next((trade for trade in reversed(trades) if trade.exec_id == exec_id), None)

    def rest_asset(self, asset: str) -> str:
        """Give REST's name of an asset."""
        known = ASSET_BY_NAME.get(asset)
        return asset if known is None else known.rest_id

    def entries_after(self, cut: datetime) -> list[Entry]:
        """Give the ledger entries of all accounts later than a moment."""
        accounts = self._exchange.venue.state.accounts.values()
        return [entry for owner in accounts for entry in owner.ledger if entry.at > cut]

    def rows_closed_after(self, cut: datetime) -> dict[str, Any]:
        """Give REST's rows of the orders of the main account that closed later than a moment."""
        pairs = self._exchange.venue.pairs
        return {
            order.order_id: order_row(order, pairs[order.symbol], trades=False)
            for order in self._exchange.venue.orders_of(MAIN)
            if order.closed_at is not None and order.closed_at > cut
        }

    def filled_at_once(self, order_id: str) -> bool:
        """Say whether an order filled in whole at the moment it was placed."""
        order = self.order(order_id)
        return order is not None and order.status == "filled" and order.closed_at == order.opened_at

    def levels(self, connection: int, symbol: str) -> tuple[list[Level], list[Level]] | None:
        """Give (bids, asks) of the book as a connection was last told it, as texts."""
        session = next((s for s in self._exchange.sessions if s.connection_id == connection), None)
        depth = None if session is None else session.books.get(symbol)
        if depth is None:
            return None
        pair = self._exchange.pairs[symbol]
        price, qty = pair.price_precision, pair.qty_precision
        bids, asks = (
            [(wire.fixed(tick, price), wire.fixed(lots, qty)) for tick, lots in side]
            for side in self._exchange.feed(symbol, depth).levels
        )
        return bids, asks

    def books_of(self, connection: int) -> list[str]:
        """List the pairs whose book a connection follows."""
        for session in self._exchange.sessions:
            if session.connection_id == connection:
                return list(session.books)
        return []

    def stamp(self) -> str:
        """Give market time as the wire prints it."""
        return wire.stamp(self._exchange.now_us())

    # --- deeds ------------------------------------------------------------------------------

    def command(self, command: Command) -> list[Report]:
        """Carry out a command and tell everybody; raises FaultError when it is refused."""
        reports = self._exchange.execute(command)
        for report in reports:
            if isinstance(report, Refused):
                raise FaultError(f"the exchange refused: {report.error}")
        self._exchange.publish(reports)
        return reports

    def _system(self, args: Args) -> Any:
        status = msgspec.convert(args["status"], SystemStatus)
        self.command(SetSystem(status))
        return {"status": status}

    def _pair(self, args: Args) -> Any:
        symbol = self._symbol(args)
        change = SetPair(
            symbol=symbol,
            status=msgspec.convert(args["status"], PairStatus) if args.get("status") else None,
            qty_min=_money(args, "qty_min"),
            cost_min=_money(args, "cost_min"),
            price_increment=_money(args, "price_increment"),
        )
        self.command(change)
        return {"pair": symbol}

    def _transfer(self, args: Args) -> Any:
        kind = msgspec.convert(args.get("kind", "deposit"), TransferKind)
        amount = _money(args, "amount")
        if amount is None:
            raise FaultError("do transfer: it needs `amount`")
        if kind == "withdrawal" and amount > 0:
            amount = -amount
        account, asset = str(args.get("account", MAIN)), str(args["asset"])
        self.command(Transfer(asset=asset, amount=amount, kind=kind, account=account))
        return {"asset": asset, "amount": f"{amount:f}", "kind": kind}

    def _volume(self, args: Args) -> Any:
        volume = _money(args, "volume") or Decimal(0)
        self.command(SetVolume(volume=volume, account=str(args.get("account", MAIN))))
        return {"volume": f"{volume:f}"}

    def _wanted(self, args: Args) -> Order:
        account = str(args.get("account", MAIN))
        for name in ("order_id", "cl_ord_id"):
            if args.get(name):
                order = self.find(name, args[name], account)
                if order is None:
                    raise FaultError(f"there is no open order {args[name]}")
                return order
        orders = [
            order
            for order in self._exchange.venue.open_of(account)
            if not args.get("pair") or order.symbol == args["pair"]
        ]
        if not orders:
            raise FaultError("there is no open order")
        return orders[-1]

    def _cancel(self, args: Args) -> Any:
        order = self._wanted(args)
        self.command(Cancel(order.order_id, order.account))
        return {"order_id": order.order_id}

    def _cancel_all(self, args: Args) -> Any:
        account = str(args.get("account", MAIN))
        count = len(self._exchange.venue.open_of(account))
        self.command(CancelAll(str(args.get("reason", REASON_USER)), account))
        return {"count": count}

    def _place(self, args: Args) -> Any:
        price = _money(args, "price")
        place = Place(
            symbol=self._symbol(args),
            side=msgspec.convert(args.get("side", "buy"), Side),
            order_type="market" if price is None else "limit",
            qty=_money(args, "qty"),
            limit_price=price,
            account=str(args.get("account", MAIN)),
            userref=int(args.get("userref", 0)),
        )
        self.command(place)
        return {"order_id": next(reversed(self._exchange.venue.state.orders))}

    def _trade(self, args: Args) -> Any:
        """Trade by hand at the market; the smallest quantity unless `qty` says another."""
        pair = self._exchange.pairs[self._symbol(args)]
        return self._place({**args, "qty": args.get("qty") or pair.qty_min, "price": None})

    def _fill(self, args: Args) -> Any:
        order = self._wanted(args)
        count = self.fill(order, float(args.get("share", 1)), int(args.get("parts", 1)))
        return {"order_id": order.order_id, "fills": count}

    def fill(self, order: Order, share: float = 1.0, parts: int = 1, leave: str = "") -> int:
        """Fill a resting order in part or whole; gives the number of fills it may lead to.

        Prints that the public tape never shows go through its price, so own orders of better
        prices fill first. `leave` "dust" leaves less than the pair's minimum.
        """
        pair = self._exchange.pairs[order.symbol]
        tick = pair.ticks_of(order.limit_price or Decimal(0))
        open_lots = pair.lots_of(order.open_qty) or 0
        if not tick or not open_lots or (order.trigger and not order.trigger.triggered):
            return 0
        lots = max(1, min(open_lots, int(open_lots * share)))
        if leave == "dust":
            lots = max(1, open_lots - max(1, (pair.lots_of(pair.qty_min) or 2) // 2))
        parts = max(1, min(parts, lots))
        buys = order.side == "sell"
        through = tick + 1 if buys else max(1, tick - 1)
        sizes = [lots // parts + (1 if part < lots % parts else 0) for part in range(parts)]
        prints = [Print(through, size, buy=buys, market=True) for size in sizes]
        self._exchange.print_privately(order.symbol, prints)
        return parts

    def fill_resting(self, symbol: str, fills: int) -> int:
        """Spread many small fills over the resting orders (of a pair)."""
        orders = [
            order
            for order in self._exchange.venue.open.values()
            if symbol in ("", order.symbol) and order.limit_price is not None
        ]
        done = 0
        for number, order in enumerate(orders):
            left = (fills - done) // (len(orders) - number)
            done += self.fill(order, 0.9, left)
        return done

    def _wick(self, args: Args) -> Any:
        percent = float(args.get("percent", -60))
        symbol, lasts_s = self._symbol(args), float(args.get("lasts_s", 20))
        if not -100 < percent <= MOST_WICK_PERCENT or not 0 < lasts_s <= MOST_WICK_S:
            raise FaultError("a wick lies between -100 and 1000 percent and lasts a day at most")
        self._exchange.bend(symbol, int((100 + percent) * 10_000), int(lasts_s * 1_000_000))
        return {"pair": symbol, "percent": percent}

    def _symbol(self, args: Args) -> str:
        symbol = str(args["pair"])
        if symbol not in self._exchange.pairs:
            raise FaultError(f"the market has no pair {symbol}")
        return symbol


def _money(args: Args, name: str) -> Decimal | None:
    value = args.get(name)
    if value is None or value == "":
        return None
    number = Decimal(str(value))
    if not number.is_finite():
        raise FaultError(f"{name}={value} must be a finite number")
    return number


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it needs `{error.args[0]}`"
    return "a number is not a number" if isinstance(error, InvalidOperation) else str(error)
