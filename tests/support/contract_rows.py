"""Rows of frames and of REST answers turned into facts, by the protocol sheet alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contract_facts import CandleFacts, Fill, PairFacts

# Section 12: REST ids and altnames of what this market has.
ASSETS = {
    "ZUSD": "USD", "ZEUR": "EUR", "XXBT": "BTC", "XETH": "ETH", "XXRP": "XRP", "XBT": "BTC",
    "XXDG": "DOGE",
}  # fmt: skip
_MICROSECOND = Decimal("0.000001")


def moment(text: str) -> datetime:
    """RFC 3339 with any number of decimals (section 1)."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    at = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return at + timedelta(microseconds=int((rest + "000000")[:6]))


def unix(seconds: Decimal | int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=int(Decimal(seconds) / _MICROSECOND)
    )


def pair_name(row: dict[str, Any]) -> str:
    """Section 12: wsname is the v1 name."""
    return "/".join({"XBT": "BTC", "XDG": "DOGE"}.get(n, n) for n in row["wsname"].split("/"))


def fill(row: dict[str, Any]) -> Fill:
    """A trade event (section 6.1)."""
    return Fill(
        exec_id=row["exec_id"],
        trade_id=row["trade_id"],
        order_id=row["order_id"],
        pair=row["symbol"],
        side=row["side"],
        price=row["last_price"],
        qty=row["last_qty"],
        cost=row["cost"],
        fee=tuple((fee["asset"], fee["qty"]) for fee in row["fees"]),
        maker=row["liquidity_ind"] == "m",
        at=moment(row["timestamp"]),
    )


def instrument(row: dict[str, Any]) -> PairFacts:
    return PairFacts(
        pair=row["symbol"],
        status=row["status"],
        price_increment=Decimal(row["price_increment"]),
        price_precision=row["price_precision"],
        qty_precision=row["qty_precision"],
        qty_min=Decimal(row["qty_min"]),
        cost_min=Decimal(row["cost_min"]),
    )


def candle(row: dict[str, Any]) -> CandleFacts:
    names = ("open", "high", "low", "close", "volume", "trades")
    known = {name: row[name] for name in names}
    return CandleFacts(begin=moment(row["interval_begin"]), minutes=row["interval"], **known)


def candle_row(row: list[Any], minutes: int) -> CandleFacts:
    begin, opened, high, low, close, _vwap, volume, count = row
    prices = [Decimal(text) for text in (opened, high, low, close)]
    return CandleFacts(
        begin=unix(begin), minutes=minutes, open=prices[0], high=prices[1], low=prices[2],
        close=prices[3], volume=Decimal(volume), trades=count,
    )  # fmt: skip
