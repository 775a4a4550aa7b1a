"""Rows of the market come of trustworthy books and quotes only: from frames to what is written."""

from datetime import UTC, datetime, timedelta
from zlib import crc32

import pytest
from brain_desk import BTC, T0, Desk, quote, records, settings
from hypothesis import given
from hypothesis import strategies as st
from kraken_parts import book as frame
from kraken_parts import symbols

from simple_trader.adapters.kraken.order_books import Throttle
from simple_trader.adapters.kraken.public_session import PublicPlan, PublicSession
from simple_trader.adapters.kraken.session import Timing
from simple_trader.domain import events as e
from simple_trader.domain import records as r

BIDS = [("99.9", "1.00000000")]
ASKS = [("100.1", "2.00000000")]
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class Line:
    """A session whose events go straight into a brain, second by second."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.desk.open(settings=settings(enable_order_book_feed=True))
        self.second = 0
        self.session = PublicSession(
            Timing(),
            0.0,
            plan=PublicPlan(pairs=(BTC,), quotes=False, book_depth=10),
            symbols=symbols(),
            market_now=lambda: self.desk.at,
            throttle=Throttle(1.0),
        )

    def hear(self, kind: str, *, good: bool = True, crossed: bool = False) -> int:
        """One book frame a second; how many rows of metrics it led to."""
        self.second += 2
        stamp = (START + timedelta(seconds=self.second)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        bids = [("100.2", "1.00000000")] if crossed else BIDS
        crc = crc_of(bids, ASKS) if good else 1
        levels = (bids, ASKS) if kind == "snapshot" else ([], [])
        self.session.receive(frame(kind, *levels, crc, stamp=stamp), float(self.second))
        self.session.tick(float(self.second))
        actions = [act for event in self.session.take_events() for act in self.desk.do(event)]
        return len(records(actions, r.BookMetricsRow))

    @property
    def trusted(self) -> bool:
        return self.desk.engine.state.board.boards[BTC].book_trusted


def crc_of(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> int:
    """CRC-32 over the digits of price and quantity without leading zeros, asks first (4.3)."""
    text = "".join(
        number.replace(".", "").lstrip("0") for level in [*asks, *bids] for number in level
    )
    return crc32(text.encode())


def test_no_row_of_metrics_is_written_while_a_book_is_not_trusted() -> None:
    line = Line()
    assert line.hear("update") == 0, "before any snapshot"
    assert line.hear("snapshot") == 1
    assert line.hear("update") == 1
    assert line.hear("update", good=False) == 0
    assert not line.trusted
    assert [line.hear("update") for _ in range(5)] == [0] * 5, "good ones alone heal nothing"
    assert line.hear("snapshot") == 1
    assert line.trusted


def test_a_crossed_book_writes_nothing_though_its_checksum_fits() -> None:
    line = Line()
    assert line.hear("snapshot", crossed=True) == 0
    assert not line.trusted


@given(st.lists(st.tuples(st.sampled_from(["snapshot", "update"]), st.booleans()), max_size=30))
def test_every_row_of_metrics_has_a_trusted_book_behind_it(steps: list[tuple[str, bool]]) -> None:
    line = Line()
    whole = False
    for kind, good in steps:
        whole = good and (whole or kind == "snapshot")
        rows = line.hear(kind, good=good)
        assert rows == whole, (kind, good)


@pytest.mark.parametrize(("bid", "ask"), [("2", "1"), ("1", "1"), ("0", "1"), ("-1", "1")])
def test_a_crossed_or_empty_quote_is_no_row_of_prices(bid: str, ask: str) -> None:
    desk = Desk()
    desk.open()
    told = desk.do(e.QuoteSeen(quote=quote(BTC, bid, ask, T0)))
    assert records(told, r.PriceRow) == []
    board = desk.engine.state.board.quote(BTC)
    assert board is not None
    assert (str(board.bid), str(board.ask)) == (bid, ask), "the risk manager sees it and refuses"
