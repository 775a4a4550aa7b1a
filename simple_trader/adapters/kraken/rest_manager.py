"""Reads of the exchange by REST, normalised to v2 names (`ports.VenueReads`)."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import msgspec

from simple_trader.adapters.kraken import rest_rows
from simple_trader.adapters.kraken.errors import KrakenRefused
from simple_trader.adapters.kraken.hall_monitor import HallMonitor
from simple_trader.adapters.kraken.key_info import KeyInfo, read_key_info
from simple_trader.adapters.kraken.parse import KnownOrder, KnownOrders, number, venue_status
from simple_trader.adapters.kraken.rest_client import Params, RestClient
from simple_trader.adapters.kraken.rest_rows import decode, part
from simple_trader.adapters.kraken.symbols import Symbols
from simple_trader.domain.errors import VenueError, VenueUnreachable
from simple_trader.domain.fills import Fill, LedgerEntry
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules, VenueStatus
from simple_trader.domain.moments import from_unix, parse_rfc3339, to_unix
from simple_trader.domain.money import ZERO, plain
from simple_trader.domain.quotes import Candle
from simple_trader.domain.records import VenueOrderRow
from simple_trader.domain.venue_replies import SwitchArmed
from simple_trader.ports import Emit

log = logging.getLogger(__name__)

T = TypeVar("T")
Raws = dict[str, msgspec.Raw]

_PAGE = 50
_PAGE_OVERLAP = 5
_MAX_PAGES = 400
_LOOK_BACK = timedelta(minutes=2)
_QUERY_BATCH = 50
_KEY_TROUBLE = ("EAPI:", "EAuth:", "EGeneral:Temporary lockout", "EGeneral:Too many requests")
INTERVALS_S = tuple(60 * minutes for minutes in (1, 5, 15, 30, 60, 240, 1440, 10080, 21600))


class KrakenRest:
    """All REST calls of the daemon; names are loaded from Assets and AssetPairs at first need."""

    def __init__(self, client: RestClient) -> None:
        """Ask through `client`: it signs, counts and repeats."""
        self._client = client
        self.symbols = Symbols()
        self._told_broken: set[str] = set()
        self.known = KnownOrders()

    def tell_trouble(self, emit: Emit) -> None:
        """From now on AuthTrouble goes to `emit`; before that a refusal fails the start."""
        self._client.on_trouble = emit

    @property
    def monitor(self) -> HallMonitor:
        """The model of the REST counter."""
        return self._client.monitor

    # -- reference -----------------------------------------------------------------------

    async def server_time(self) -> datetime:
        """The exchange's clock, in whole seconds."""
        result = decode(await self._client.public("Time"), dict[str, msgspec.Raw], "Time")
        return from_unix(part(result, "unixtime", int, "Time"))

    async def system_status(self) -> VenueStatus:
        """The state of the exchange; a word that is not known is UNKNOWN."""
        result = decode(await self._client.public("SystemStatus"), Raws, "SystemStatus")
        return venue_status(part(result, "status", str, "SystemStatus"))

    async def assets(self) -> tuple[AssetRules, ...]:
        """All assets."""
        rows = decode(await self._client.public("Assets"), dict[str, rest_rows.AssetData], "Assets")
        rules = tuple(rest_rows.asset_rules(name, row) for name, row in rows.items())
        self.symbols.learn_assets(rules)
        return rules

    async def pairs(self) -> tuple[PairRules, ...]:
        """All pairs that have a WebSocket name; one whose rules are not whole is left out."""
        if not self.symbols.has_assets:
            await self.assets()
        rows = decode(await self._client.public("AssetPairs"), Raws, "AssetPairs")
        found: list[PairRules] = []
        broken: dict[str, str] = {}
        for name, raw in rows.items():
            try:
                rules = rest_rows.pair_rules(
                    name, decode(raw, rest_rows.PairInfo, name), self.symbols
                )
            except (VenueUnreachable, ValueError) as error:
                broken[name] = str(error)
                continue
            if rules is not None:
                found.append(rules)
        self._say_broken(broken)
        self.symbols.learn_pairs(found)
        return tuple(found)

    def _say_broken(self, broken: dict[str, str]) -> None:
        """One line for each pair that lost its rules or never had them, not at every look."""
        for name, why in broken.items():
            if name not in self._told_broken:
                log.warning("Rules of %s cannot be used, so it is not traded: %s", name, why)
        self._told_broken = set(broken)

    async def candles(self, pair: str, interval_s: int, count: int) -> tuple[Candle, ...]:
        """The last `count` finished candles (at most 720), oldest first."""
        if interval_s not in INTERVALS_S:
            raise KrakenRefused("OHLC", f"EGeneral:Invalid arguments:interval {interval_s} s")
        await self._names()
        query: Params = {"pair": self.symbols.altname(pair), "interval": interval_s // 60}
        result = decode(await self._client.public("OHLC", query), Raws, "OHLC")
        committed = decode(result.pop("last"), Decimal, "OHLC") if "last" in result else None
        rows = decode(
            next(iter(result.values()), msgspec.Raw(b"[]")), list[rest_rows.OhlcRow], "OHLC"
        )

        # The last row is the running candle; `last` begins the last finished one.
        def finished() -> tuple[Candle, ...]:
            last = None if committed is None else number(committed)
            done = rows[:-1] if last is None else [row for row in rows if number(row[0]) <= last]
            return tuple(rest_rows.candle(pair, interval_s, row) for row in done[-count:])

        return _all("OHLC", finished)

    # -- account -------------------------------------------------------------------------

    async def balances(self) -> dict[str, str]:
        """Balance totals by v2 asset name, as exact text."""
        await self._names()
        rows = decode(await self._client.private("Balance"), dict[str, Decimal], "Balance")
        totals = _all("Balance", lambda: {name: number(total) for name, total in rows.items()})
        found: dict[str, Decimal] = {}
        for name, total in totals.items():
            asset = self.symbols.asset(name)
            found[asset] = found.get(asset, ZERO) + total
        return {asset: plain(total) for asset, total in found.items()}

    async def fees(self, pairs: Sequence[str]) -> tuple[FeeRates, ...]:
        """The account's fee tier of each pair, as fractions of cost."""
        if not pairs:
            return ()  # Kraken refuses to be asked for none
        await self._names()
        query = {"pair": ",".join(self.symbols.altname(pair) for pair in pairs)}
        raw = await self._client.private("TradeVolume", query)
        data = decode(raw, rest_rows.VolumeData, "TradeVolume")
        return _all("TradeVolume", lambda: rest_rows.fee_rates(data, self.symbols))

    async def open_orders(self) -> tuple[VenueOrderRow, ...]:
        """Open orders of the whole account."""
        await self._names()
        result = decode(await self._client.private("OpenOrders"), Raws, "OpenOrders")
        rows = part(result, "open", dict[str, rest_rows.OrderData], "OpenOrders")
        return self._order_rows(rows)

    async def closed_orders(
        self, since: datetime | None, *, max_pages: int = _MAX_PAGES, urgent: bool = False
    ) -> tuple[VenueOrderRow, ...]:
        """Closed orders, newest first, from two minutes before `since`, deduped over pages."""
        raws = await self._pages("ClosedOrders", "closed", since, max_pages, urgent=urgent)
        rows = {
            name: decode(raw, rest_rows.OrderData, "ClosedOrders") for name, raw in raws.items()
        }
        found = self._order_rows(rows)
        return tuple(
            sorted(found, key=lambda row: (row.closed_at or row.opened_at, row.order_id))[::-1]
        )

    async def orders_by_id(self, order_ids: Sequence[str]) -> tuple[VenueOrderRow, ...]:
        """Any orders, by the exchange's ids."""
        await self._names()
        found: list[VenueOrderRow] = []
        for start in range(0, len(order_ids), _QUERY_BATCH):
            query = {"txid": ",".join(order_ids[start : start + _QUERY_BATCH])}
            raw = await self._client.private("QueryOrders", query)
            found += self._order_rows(decode(raw, dict[str, rest_rows.OrderData], "QueryOrders"))
        return tuple(found)

    async def trades(self, since: datetime | None) -> tuple[Fill, ...]:
        """Own trades, oldest first, from two minutes before `since`."""
        return tuple(fill for fill, _ in await self.trades_with_raw(since))

    async def trades_with_raw(
        self, since: datetime | None, *, urgent: bool = False
    ) -> list[tuple[Fill, str]]:
        """As `trades`, each with its row as received; a trade learns its order's client id.

        Who looks for an order in doubt is `urgent` and may use the reserve of the REST counter.
        """
        raws = await self._pages("TradesHistory", "trades", since, _MAX_PAGES, urgent=urgent)
        rows = {
            name: decode(raw, rest_rows.TradeData, "TradesHistory") for name, raw in raws.items()
        }
        strangers = {row.ordertxid for row in rows.values()}
        strangers = {name for name in strangers if self.known.get(name).pair is None}
        if strangers:
            await self.orders_by_id(sorted(strangers))
        fills = _all(
            "TradesHistory",
            lambda: [
                (
                    rest_rows.fill(
                        name, row, self.symbols, self.known.get(row.ordertxid).cl_ord_id
                    ),
                    bytes(raws[name]).decode(),
                )
                for name, row in rows.items()
            ],
        )
        return sorted(fills, key=lambda pair: (pair[0].venue_at, pair[0].trade_id))

    async def ledgers(self, since: datetime | None) -> tuple[LedgerEntry, ...]:
        """Ledger entries, oldest first, from two minutes before `since`."""
        raws = await self._pages("Ledgers", "ledger", since, _MAX_PAGES)
        entries = _all(
            "Ledgers",
            lambda: [
                rest_rows.ledger_entry(
                    name, decode(raw, rest_rows.LedgerData, "Ledgers"), self.symbols
                )
                for name, raw in raws.items()
            ],
        )
        return tuple(sorted(entries, key=lambda entry: entry.at))

    async def oldest_ledger_id(self) -> str:
        """The first entry that the account's ledger ever had, as `id@time`; '' for none."""
        raw = await self._client.private("Ledgers", {"ofs": 0})
        count = part(decode(raw, Raws, "Ledgers"), "count", int, "Ledgers")
        if count > _PAGE:  # newest first: what is new meanwhile only shifts the oldest further
            raw = await self._client.private("Ledgers", {"ofs": count - 1})
        rows = part(decode(raw, Raws, "Ledgers"), "ledger", Raws, "Ledgers")
        entries = {name: decode(row, rest_rows.LedgerData, "Ledgers") for name, row in rows.items()}
        if not entries:
            return ""
        oldest = min(entries, key=lambda name: (entries[name].time, name))
        return f"{oldest}@{plain(entries[oldest].time)}"

    # -- requests ------------------------------------------------------------------------

    async def token(self) -> str:
        """A WebSocket token; use it within 15 minutes."""
        result = decode(await self._client.private("GetWebSocketsToken"), Raws, "token")
        return part(result, "token", str, "token")

    async def key_info(self) -> KeyInfo:
        """What our key may do; a refusal that is not about the key itself tells nothing."""
        try:
            return read_key_info(bytes(await self._client.private("GetApiKeyInfo")))
        except KrakenRefused as error:
            if error.error.startswith(_KEY_TROUBLE):
                raise
            log.warning("Kraken does not tell what the key may do: %s", error.error)
            return KeyInfo(None)

    async def cancel_order(self, *, order_id: str | None, cl_ord_id: str) -> None:
        """Cancel one order; raises KrakenRefused or VenueUnreachable."""
        query = {"cl_ord_id": cl_ord_id} if order_id is None else {"txid": order_id}
        await self._client.private("CancelOrder", query, read=False)

    async def cancel_all(self) -> int:
        """Cancel everything; the count."""
        result = decode(await self._client.private("CancelAll", read=False), Raws, "CancelAll")
        return part(result, "count", int, "CancelAll")

    async def cancel_all_after(self, timeout_s: int) -> SwitchArmed:
        """Arm the dead man's switch of the whole account, 0 disarms it; safe to repeat."""
        raw = await self._client.private("CancelAllOrdersAfter", {"timeout": timeout_s}, read=False)
        result = decode(raw, Raws, "CancelAllOrdersAfter")
        return SwitchArmed(
            current_at=_moment(result.get("currentTime")),
            trigger_at=_moment(result.get("triggerTime")) if timeout_s else None,
        )

    # -- parts ---------------------------------------------------------------------------

    async def _names(self) -> None:
        if not self.symbols.loaded:
            await self.pairs()

    def _order_rows(self, rows: dict[str, rest_rows.OrderData]) -> tuple[VenueOrderRow, ...]:
        found = _all(
            "orders",
            lambda: tuple(
                rest_rows.order_row(name, row, self.symbols) for name, row in rows.items()
            ),
        )
        for row in found:
            seen = KnownOrder(row.cl_ord_id, row.pair, row.side, row.qty, row.limit_price)
            self.known.learn(row.order_id, seen)
        return found

    async def _pages(
        self,
        endpoint: str,
        field: str,
        since: datetime | None,
        max_pages: int,
        *,
        urgent: bool = False,
    ) -> Raws:
        """All rows; pages overlap, and are read again until no row is missing (X11, X12).

        Rows come newest first and shift while we read: a new one on top, or an order that closes
        into its place between older ones. So what was counted and not seen is looked for again.
        """
        await self._names()
        query: dict[str, str | int] = {}
        if since is not None:
            query["start"] = int(to_unix(since - _LOOK_BACK))
        found: Raws = {}
        offset = before = 0
        for _ in range(max_pages):
            params = {**query, "ofs": offset}
            raw = await self._client.private(endpoint, params, urgent=urgent)
            result = decode(raw, Raws, endpoint)
            page = part(result, field, Raws, endpoint)
            count = decode(result["count"], int, endpoint) if "count" in result else None
            found.update(page)
            if count is not None and len(found) >= count:
                break
            if len(page) == _PAGE:
                offset += _PAGE - _PAGE_OVERLAP
            elif count is None or len(found) == before:
                break  # no count to compare with, or a whole pass that found nothing new
            else:
                offset, before = 0, len(found)
        return found


def _moment(raw: msgspec.Raw | None) -> datetime | None:
    """A moment as text; None for none, and for what no moment can be read from."""
    try:
        return None if raw is None else parse_rfc3339(msgspec.json.decode(raw, type=str))
    except (msgspec.DecodeError, ValueError):
        return None


def _all(what: str, make: Callable[[], T]) -> T:
    """Make domain values; a value that cannot be used makes the whole answer unusable."""
    try:
        return make()
    except VenueError:
        raise
    except (ValueError, KeyError, OverflowError) as error:
        raise VenueUnreachable(f"Kraken's {what} holds an unusable value: {error}") from None
