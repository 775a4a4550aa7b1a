"""The contract's driver from raw frames: what the protocol sheet says, and nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contract_books import RawBooks
from contract_facts import (
    CandleFacts,
    Change,
    Fill,
    Levels,
    Line,
    OrderRow,
    PairFacts,
    Print,
    Public,
    Refused,
    Told,
    Wanted,
    Watch,
)
from contract_rows import ASSETS, candle, candle_row, fill, instrument, moment, pair_name, unix
from contract_wire import Frame, Raw, RawRest
from contract_world import World

# Section 6.2: no copy of the documentation names the field.
_COUNTS = ("ratecount", "ratecounter", "rate_count", "rate_counter")
_UNSURE = ("EService:Unavailable", "EService:Busy", "EGeneral:Internal error")
_KEPT = ("symbol", "side", "order_qty", "limit_price")


class RawDriver:
    """One private connection, where asked for one public connection, and signed REST."""

    def __init__(self, world: World, key: str, watch: Watch | None) -> None:
        self.world, self.account = world, key
        self.public = Public()
        self.rest = RawRest(world, key)
        self.private: Raw
        self.market: Raw | None = None
        self.token = ""
        self._watch = watch
        self._books = RawBooks()
        self._names: dict[str, str] = {}
        self._read = 0

    async def open(self) -> None:
        """Sections 5, 6 and 7: a token, a connection, both channels with their snapshots."""
        self.token = (await self.rest.good("GetWebSocketsToken"))["token"]
        self.private = await Raw.open(self.world, "/auth/v2")
        for channel, more in (
            ("executions", {"snap_orders": True, "snap_trades": True, "ratecounter": True}),
            ("balances", {"snapshot": True}),
        ):
            (ack,) = await self.private.ask("subscribe", channel=channel, token=self.token, **more)
            assert ack["success"], ack
        for row in (await self.rest.public("AssetPairs")).items():
            self._name_pair(*row)
        if self._watch is not None:
            await self._follow(self._watch)
        await self.settle()

    async def _follow(self, watch: Watch) -> None:
        self.market = await Raw.open(self.world, "/v2")
        await self.market.ask("subscribe", channel="instrument", snapshot=True)
        pairs = list(watch.pairs)
        asked: list[dict[str, Any]] = [
            {"channel": "ticker", "event_trigger": "bbo"},
            {"channel": "trade"},
            {"channel": "book", "depth": watch.depth},
            *({"channel": "ohlc", "interval": minutes} for minutes in watch.minutes),
        ]
        for params in asked:
            await self.market.ask("subscribe", len(pairs), symbol=pairs, snapshot=True, **params)

    async def close(self) -> None:
        for line in (self.private, self.market, self.rest):
            if line is not None:
                await line.close()

    async def settle(self) -> None:
        await self.private.settle(self.world)
        if self.market is not None:
            await self.market.settle(self.world)
            for frame in self.market.frames[self._read :]:
                self._take(frame)
            self._read = len(self.market.frames)

    async def step(self, seconds: float = 1) -> None:
        await self.settle()
        self.world.advance(seconds)
        await self.settle()

    # -- orders (section 8) --------------------------------------------------------------

    async def request(self, method: str, **params: Any) -> Frame:
        """The response to an order request."""
        (frame,) = await self.private.ask(method, **params, token=self.token)
        assert ("error" in frame) != frame["success"]
        return frame

    async def place(self, order: Wanted) -> str | Refused:
        answer = await self.request("add_order", **self._params(order))
        if not answer["success"]:
            return Refused(answer["error"], sure=not answer["error"].startswith(_UNSURE))
        assert answer["result"]["cl_ord_id"] == order.cl_ord_id
        order_id: str = answer["result"]["order_id"]
        return order_id

    async def check(self, order: Wanted) -> Refused | None:
        answer = await self.request("add_order", **self._params(order), validate=True)
        return None if answer["success"] else Refused(answer["error"])

    async def amend(self, change: Change) -> Refused | None:
        params: dict[str, Any] = (
            {"cl_ord_id": change.cl_ord_id}
            if change.order_id is None
            else {"order_id": change.order_id}
        )
        named = set(params)
        if change.qty is not None:
            params["order_qty"] = change.qty
        if change.price is not None:
            params["limit_price"] = change.price
        if change.trigger is not None:
            params["trigger_price"] = change.trigger
        if change.post_only:
            params["post_only"] = True
        answer = await self.request("amend_order", **params)
        if not answer["success"]:
            return Refused(answer["error"])
        assert answer["result"]["amend_id"].startswith("T")
        assert set(answer["result"]) == named | {"amend_id"}
        return None

    async def cancel(self, cl_ord_id: str, order_id: str | None = None) -> Refused | None:
        named = {"cl_ord_id": [cl_ord_id]} if order_id is None else {"order_id": [order_id]}
        answer = await self.request("cancel_order", **named)
        if not answer["success"]:
            return Refused(answer["error"])
        assert answer["result"] == {name: value for name, (value,) in named.items()}
        return None

    async def cancel_all(self) -> int:
        count: int = (await self.request("cancel_all"))["result"]["count"]
        return count

    async def arm_switch(self, timeout_s: int) -> float | None:
        answer = await self.request("cancel_all_orders_after", timeout=timeout_s)
        result = answer["result"]
        if not timeout_s:
            return None
        end, now = (moment(result[name]) for name in ("triggerTime", "currentTime"))
        return (end - now).total_seconds()

    async def told(self, cl_ord_id: str | None = None) -> list[Told]:
        await self.settle()
        seen: list[Told] = []
        first: dict[str, dict[str, Any]] = {}
        for frame in self.private.pushed("executions"):
            for row in frame["data"]:
                known = first.setdefault(row["order_id"], {})
                known |= {name: row[name] for name in _KEPT if name in row}
                seen.append(self._told(row, known, snapshot=frame["type"] == "snapshot"))
        return [event for event in seen if cl_ord_id in (None, event.cl_ord_id)]

    async def lines_told(self) -> list[Line]:
        await self.settle()
        updates = [f for f in self.private.pushed("balances") if f["type"] == "update"]
        names = ("ledger_id", "ref_id", "asset", "amount", "fee", "balance")
        return [Line(**{name: row[name] for name in names}) for f in updates for row in f["data"]]

    async def totals_told(self) -> dict[str, Decimal]:
        await self.settle()
        rows = [row for frame in self.private.pushed("balances") for row in frame["data"]]
        return {row["asset"]: row["balance"] for row in rows}

    async def rate_count(self, pair: str) -> Decimal:
        await self.settle()
        pairs: dict[str, str] = {}
        newest = Decimal(0)
        for frame in self.private.pushed("executions"):
            for row in frame["data"]:
                pairs.setdefault(row["order_id"], row.get("symbol", ""))
                found = [row[name] for name in _COUNTS if name in row]
                if pairs[row["order_id"]] == pair and found:
                    newest = Decimal(found[0])
        return newest

    # -- reads (section 11.5) ------------------------------------------------------------

    async def balances(self) -> dict[str, Decimal]:
        rows = await self.rest.good("Balance")
        return {ASSETS.get(name, name): Decimal(text) for name, text in rows.items()}

    async def open_orders(self) -> list[OrderRow]:
        rows = (await self.rest.good("OpenOrders"))["open"]
        return [self._row(name, row) for name, row in rows.items()]

    async def closed_orders(self) -> list[OrderRow]:
        rows = await self._pages("ClosedOrders", "closed")
        return [self._row(name, row) for name, row in rows.items()]

    async def orders(self, order_ids: Sequence[str]) -> list[OrderRow]:
        rows = await self.rest.good("QueryOrders", txid=",".join(order_ids))
        return [self._row(name, row) for name, row in rows.items()]

    async def fills(self) -> list[Fill]:
        rows = await self._pages("TradesHistory", "trades")
        found = [self._fill_row(name, row) for name, row in rows.items()]
        return sorted(found, key=lambda fill: fill.at)

    async def lines(self) -> list[Line]:
        rows = await self._pages("Ledgers", "ledger")
        found = [
            Line(
                ledger_id=name,
                ref_id=row["refid"],
                asset=ASSETS.get(row["asset"], row["asset"]),
                amount=Decimal(row["amount"]),
                fee=Decimal(row["fee"]),
                balance=Decimal(row["balance"]),
            )
            for name, row in rows.items()
        ]
        return found[::-1]

    async def fee_rates(self, pair: str) -> tuple[Decimal, Decimal]:
        answer = await self.rest.good("TradeVolume", pair=pair)
        (taker,), (maker,) = answer["fees"].values(), answer["fees_maker"].values()
        return Decimal(maker["fee"]) / 100, Decimal(taker["fee"]) / 100

    async def pairs(self) -> dict[str, PairFacts]:
        rows = await self.rest.public("AssetPairs")
        found = [
            PairFacts(
                pair=pair_name(row),
                status=row["status"],
                price_increment=Decimal(row["tick_size"]),
                price_precision=row["pair_decimals"],
                qty_precision=row["lot_decimals"],
                qty_min=Decimal(row["ordermin"]),
                cost_min=Decimal(row["costmin"]),
            )
            for row in rows.values()
        ]
        return {facts.pair: facts for facts in found}

    async def candles(self, pair: str, minutes: int, count: int) -> list[CandleFacts]:
        answer = await self.rest.public("OHLC", pair=pair, interval=minutes)
        last = answer.pop("last")
        (rows,) = answer.values()
        done = [row for row in rows if row[0] <= last][-count:]
        return [candle_row(row, minutes) for row in done]

    async def system(self) -> str:
        status: str = (await self.rest.public("SystemStatus"))["status"]
        return status

    async def server_time(self) -> datetime:
        return datetime.fromtimestamp((await self.rest.public("Time"))["unixtime"], UTC)

    async def permissions(self) -> set[str]:
        answer = await self.rest.good("GetApiKeyInfo")
        return set(answer["permissions"])

    def book(self, pair: str) -> tuple[Levels, Levels] | None:
        return self._books.book(pair)

    # -- parts ---------------------------------------------------------------------------

    def _params(self, order: Wanted) -> dict[str, Any]:
        deadline = order.deadline or self.world.at + timedelta(seconds=5)
        params: dict[str, Any] = {
            "order_type": order.kind,
            "side": order.side,
            "symbol": order.pair,
            "order_qty": order.qty,
            "cl_ord_id": order.cl_ord_id,
            "deadline": deadline.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "fee_preference": order.fee,
            "stp_type": order.stp,
        }
        if order.kind != "market":
            params["time_in_force"] = order.force
        if order.price is not None:
            params["limit_price"] = order.price
        if order.price_type != "static":
            params["limit_price_type"] = order.price_type
        if order.trigger is not None:
            params["triggers"] = {
                "reference": order.reference,
                "price": order.trigger,
                "price_type": order.trigger_type,
            }
        if order.post_only:
            params["post_only"] = True
        if order.expire_at is not None:
            params["expire_time"] = order.expire_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return params

    def _told(self, row: dict[str, Any], known: dict[str, Any], *, snapshot: bool) -> Told:
        return Told(
            kind=row["exec_type"],
            status=row["order_status"],
            order_id=row["order_id"],
            cl_ord_id=row.get("cl_ord_id"),
            pair=known.get("symbol"),
            side=known.get("side"),
            qty=known.get("order_qty"),
            price=known.get("limit_price"),
            cum_qty=row.get("cum_qty"),
            reason=row.get("reason", ""),
            fill=fill(row) if row["exec_type"] == "trade" else None,
            snapshot=snapshot,
        )

    async def _pages(self, endpoint: str, name: str) -> dict[str, Any]:
        """All pages of 50 (section 11.5), newest first."""
        found: dict[str, Any] = {}
        while True:
            answer = await self.rest.good(endpoint, ofs=len(found))
            assert len(answer[name]) <= 50
            found |= answer[name]
            if len(found) >= answer["count"] or not answer[name]:
                return found

    def _row(self, name: str, row: dict[str, Any]) -> OrderRow:
        # Section 11.5: price of a triggered order is the trigger, price2 its limit.
        kind = row["descr"]["ordertype"]
        price = row["descr"]["price2" if kind.endswith("-limit") else "price"]
        price = price if kind.endswith("limit") or kind == "iceberg" else "0"
        plain = None if price.endswith("%") or price[:1] in "+-#" else Decimal(price)
        return OrderRow(
            order_id=name,
            cl_ord_id=row.get("cl_ord_id"),
            pair=self._names[row["descr"]["pair"]],
            side=row["descr"]["type"],
            kind=row["descr"]["ordertype"],
            status=row["status"],
            qty=Decimal(row["vol"]),
            filled=Decimal(row["vol_exec"]),
            cost=Decimal(row["cost"]),
            fee=Decimal(row["fee"]),
            price=plain or None,
        )

    def _fill_row(self, name: str, row: dict[str, Any]) -> Fill:
        pair = self._names[row["pair"]]
        return Fill(
            exec_id=name,
            trade_id=row["trade_id"],
            order_id=row["ordertxid"],
            pair=pair,
            side=row["type"],
            price=Decimal(row["price"]),
            qty=Decimal(row["vol"]),
            cost=Decimal(row["cost"]),
            fee=((pair.partition("/")[2], Decimal(row["fee"])),),
            maker=row["maker"],
            at=unix(row["time"]),
        )

    def _name_pair(self, rest_id: str, row: dict[str, Any]) -> None:
        for name in (rest_id, row["altname"]):
            self._names[name] = pair_name(row)

    def _take(self, frame: Frame) -> None:
        """A public frame (section 3)."""
        data, seen = frame.get("data", []), self.public
        match frame.get("channel"):
            case "status":
                seen.system += [row["system"] for row in data]
            case "ticker":
                for row in data:
                    seen.quotes.setdefault(row["symbol"], []).append((row["bid"], row["ask"]))
            case "trade":
                for row in data:
                    fields = {name: row[name] for name in ("trade_id", "price", "qty", "side")}
                    seen.prints.setdefault(row["symbol"], []).append(Print(**fields))
            case "ohlc":
                for row in data:
                    known = candle(row)
                    kept = seen.candles.setdefault((row["symbol"], row["interval"]), {})
                    kept[known.begin] = known
            case "instrument":
                self._books.learn(data["pairs"])
                for row in data["pairs"]:
                    if self._watch is not None and row["symbol"] in self._watch.pairs:
                        seen.pairs.setdefault(row["symbol"], []).append(instrument(row))
            case "book":
                depth = self._watch.depth if self._watch else 10
                seen.books_lost += self._books.take(frame, depth)
