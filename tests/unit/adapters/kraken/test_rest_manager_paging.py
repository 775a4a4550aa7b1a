"""Lists by REST in pages: rows that shift between them are neither lost nor doubled (X11, X12)."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kraken_parts import AT, ScriptedHttp
from rest_parts import ORDER, TRADE, UNIX, markets, rest_on

from simple_trader.ports import HttpReply

pytestmark = pytest.mark.usefixtures("quick")


def pages(rows: list[tuple[str, Any]], field: str, *, shift_after: int | None = None) -> Any:
    """Serve `rows` (newest first), 50 a page; after `shift_after` requests one more is on top."""

    class Pages(ScriptedHttp):
        served = 0

        async def request(self, method: str, url: str, **more: Any) -> HttpReply:
            if not url.endswith(("TradesHistory", "ClosedOrders", "Ledgers")):
                return await super().request(method, url, **more)
            if self.served == shift_after:
                rows.insert(0, ("Tnew", TRADE | {"trade_id": 9999, "time": UNIX + 99999}))
            self.served += 1
            query = parse_qs((more["body"] or b"").decode())
            start = int(query["ofs"][0])
            page = dict(rows[start : start + 50])
            self.answers[url.rsplit("/", 1)[-1]] = [{field: page, "count": len(rows)}]
            return await super().request(method, url, **more)

    made = markets(Pages())
    made.will("QueryOrders", {"O1": ORDER})
    return made


def many_trades(count: int) -> list[tuple[str, Any]]:
    return [
        (f"T{number}", TRADE | {"trade_id": number, "time": UNIX + number})
        for number in range(count, 0, -1)
    ]


async def test_x11_more_than_fifty_fills_are_all_found_oldest_first() -> None:
    http = pages(many_trades(233), "trades")
    found = await rest_on(http).trades(AT)
    assert [fill.trade_id for fill in found] == list(range(1, 234))
    first = next(body for endpoint, body, _ in http.asked if endpoint == "TradesHistory")
    assert parse_qs(first)["start"] == [str(UNIX - 120)]


async def test_x12_rows_that_shift_between_pages_are_neither_lost_nor_doubled() -> None:
    http = pages(many_trades(120), "trades", shift_after=1)
    found = await rest_on(http).trades(None)
    assert [fill.trade_id for fill in found] == [*range(1, 121), 9999], "the new one too"


@given(
    st.integers(0, 200),
    st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 250), max_size=60), max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_x12_whatever_is_inserted_wherever_between_pages_is_found(
    count: int, inserts: dict[int, list[int]]
) -> None:
    """As orders do that close between others: the list grows anywhere, until it is at rest."""
    rows = many_trades(count)

    class Growing(ScriptedHttp):
        served = 0

        async def request(self, method: str, url: str, **more: Any) -> HttpReply:
            if not url.endswith("TradesHistory"):
                return await super().request(method, url, **more)
            for place in inserts.get(self.served, []):
                made = (f"N{len(rows)}", TRADE | {"trade_id": 10_000 + len(rows)})
                rows.insert(min(place, len(rows)), made)
            self.served += 1
            start = int(parse_qs((more["body"] or b"").decode())["ofs"][0])
            page = dict(rows[start : start + 50])
            self.answers["TradesHistory"] = [{"trades": page, "count": len(rows)}]
            return await super().request(method, url, **more)

    http = markets(Growing())
    http.will("QueryOrders", {"O1": ORDER})
    made = asyncio.run(rest_on(http).trades(None))
    assert len({fill.exec_id for fill in made}) == len(made) == len(rows)


async def test_history_without_a_count_ends_with_a_page_that_is_not_full() -> None:
    http = markets()
    http.will("ClosedOrders", {"closed": {"O1": ORDER}})
    assert len(await rest_on(http).closed_orders(None)) == 1
    assert [name for name, _, _ in http.asked].count("ClosedOrders") == 1


async def test_a_count_that_is_never_reached_ends_after_a_pass_without_anything_new() -> None:
    http = markets()
    http.will("ClosedOrders", {"closed": {"O1": ORDER}, "count": 7})
    assert len(await rest_on(http).closed_orders(None)) == 1
    assert [name for name, _, _ in http.asked].count("ClosedOrders") == 2
