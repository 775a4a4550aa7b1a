"""When own orders fill on relayed books, and when they must not: rule by rule."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from relay_parts import BTC, LOT, UNIT, Paper, fills, refusal

from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.relay.news import PairRow, PairsAre, SystemIs
from simple_trader.sandbox.relay.opening import open_relay
from simple_trader.sandbox.settings import SandboxError, SandboxOptions
from simple_trader.simulator.orders import Amend, Trigger

BIDS = [(1000, 10), (999, 20)]
ASKS = [(1001, 5), (1002, 20)]


def paper(**more: Any) -> Paper:
    made = Paper(**more)
    made.book(BIDS, ASKS)
    return made


# ---------------------------------------------------------------------------------- takers


class Take(NamedTuple):
    what: str
    side: str
    units: int
    limit: int | None
    more: dict[str, Any]
    got: list[tuple[int, int]]
    left_open: list[int]


TAKES = [
    Take("a market order walks the levels", "buy", 8, None, {}, [(1001, 5), (1002, 3)], []),
    Take("a market sell walks the bids", "sell", 15, None, {}, [(1000, 10), (999, 5)], []),
    Take("a limit stops the walk and rests", "buy", 8, 1001, {}, [(1001, 5)], [3]),
    Take("an IOC's rest ends", "buy", 8, 1001, {"time_in_force": "ioc"}, [(1001, 5)], []),
    Take("an order below the asks rests", "buy", 8, 1000, {}, [], [8]),
    Take("a market order ends where the book ends", "buy", 40, None, {}, [(1001, 5), (1002, 20)],
         []),
]  # fmt: skip


@pytest.mark.parametrize("case", TAKES, ids=lambda case: case.what)
def test_a_taker_gets_what_the_book_of_its_arrival_offers(case: Take) -> None:
    there = paper()
    assert fills(there.order(case.side, case.units, case.limit, **case.more)) == case.got
    assert there.open_units() == case.left_open


def test_the_same_displayed_quantity_is_not_taken_twice() -> None:
    there = paper()
    there.order("buy", 5)
    assert fills(there.order("buy", 5)) == [(1002, 5)]
    # The upstream knows nothing of us: it displays what it displayed before.
    there.book(BIDS, ASKS)
    assert fills(there.order("buy", 20)) == [(1002, 15)]
    there.book(BIDS, [(1001, 7), (1003, 9)])
    assert fills(there.order("buy", 3)) == [(1001, 2), (1003, 1)]


def test_own_orders_never_enter_the_upstreams_book_nor_its_tape() -> None:
    there = paper()
    there.order("buy", 5, 1000)
    there.order("buy", 5)
    assert there.books[BTC].sides == (
        {tick: units * UNIT for tick, units in BIDS},
        {tick: units * UNIT for tick, units in ASKS},
    )
    assert list(there.there.market(BTC).tape) == []


# ---------------------------------------------------------------------------------- makers


def test_a_resting_order_waits_until_trades_have_used_up_the_whole_queue_before_it() -> None:
    there = paper()
    there.order("buy", 4, 1000)
    assert there.prints((1000, 9, "sell")) == []
    assert fills(there.prints((1000, 3, "sell"))) == [(1000, 2)]
    assert fills(there.prints((1000, 9, "sell"))) == [(1000, 2)]
    assert there.open_units() == []


def test_orders_that_others_cancel_do_not_move_it_forward() -> None:
    there = paper()
    there.order("buy", 4, 1000)
    assert there.book([(1000, 1), (999, 20)], ASKS) == []
    assert there.prints((1000, 9, "sell")) == []
    assert there.open_units() == [4]


def test_quantity_that_joins_later_stands_behind_it() -> None:
    there = paper()
    there.order("buy", 4, 1000)
    there.book([(1000, 500)], ASKS)
    assert fills(there.prints((1000, 14, "sell"))) == [(1000, 4)]


@pytest.mark.parametrize("tape", [(1000, 50, "buy"), (1001, 50, "buy"), (1001, 50, "sell")])
def test_trades_elsewhere_or_on_the_other_side_move_nothing(tape: tuple[int, int, str]) -> None:
    there = paper()
    there.order("buy", 4, 1000)
    assert there.prints(tape) == []
    assert there.open_units() == [4]


def test_a_trade_through_its_price_fills_it_at_its_own_price_and_no_more_than_traded() -> None:
    there = paper()
    there.order("buy", 4, 1000)
    assert fills(there.prints((995, 3, "sell"))) == [(1000, 3)]
    assert there.open_units() == [1]


def test_a_book_that_crosses_it_fills_it_at_its_own_price_and_no_more_than_displayed() -> None:
    there = paper()
    there.order("buy", 4, 1000)
    crossed = [(998, 1), (1003, 5)]
    assert fills(there.book([(990, 1)], crossed)) == [(1000, 1)]
    # What crossed once is eaten: the same display does not fill it again.
    assert there.book([(990, 1)], crossed) == []
    assert fills(there.book([(990, 1)], [(998, 3), (1003, 5)])) == [(1000, 2)]


def test_a_post_only_order_that_would_take_is_refused() -> None:
    assert refusal(paper().order("buy", 4, 1001, post_only=True)) == "EOrder:Post only order"


def test_a_stop_fires_on_a_public_trade_and_takes_from_the_book_of_then() -> None:
    there = paper()
    there.prints((1000, 1, "sell"))
    there.order("sell", 4, order_type="stop-loss", trigger=Trigger(price=Decimal("98.0")))
    assert there.prints((985, 1, "sell")) == []
    there.book([(978, 2), (977, 9)], [(990, 5)])
    assert fills(there.prints((980, 1, "sell"))) == [(978, 2), (977, 2)]


def test_a_trigger_knows_the_price_that_was_traded_while_no_own_order_was_there() -> None:
    there = paper()
    there.last(1005)
    there.order("sell", 4, order_type="trailing-stop", trigger=Trigger(price=Decimal("1.0")))
    (order,) = there.there.venue.open.values()
    assert order.trigger is not None
    assert order.trigger.last_price == Decimal("100.5")


# ------------------------------------------------------------------------------ no trust


def test_nothing_fills_while_the_book_is_not_trusted() -> None:
    there = paper()
    there.order("buy", 4, 1000)
    there.lose()
    assert there.prints((995, 9, "sell")) == []
    assert there.open_units() == [4]
    # The first book after the gap decides: through the price it fills, else it waits on.
    assert fills(there.book([(980, 9)], [(990, 3)])) == [(1000, 3)]


def test_an_order_that_would_trade_at_once_is_refused_in_a_gap() -> None:
    there = paper()
    there.order("buy", 1, 999)
    there.lose()
    assert refusal(there.order("buy", 4)) == "EService:Unavailable"
    assert refusal(there.order("buy", 4, 1001)) == "EService:Unavailable"
    assert refusal(there.order("buy", 4, 1000)) is None
    there.cancel_all()
    assert there.open_units() == []


def test_without_any_book_every_new_order_is_refused_and_cancels_pass() -> None:
    there = Paper()
    assert refusal(there.order("buy", 4, 1000)) == "EService:Unavailable"
    there.cancel_all()
    assert there.there.venue.state.orders == {}


def test_a_book_that_the_venue_saw_long_ago_judges_no_order_in_a_gap() -> None:
    there = paper()
    there.order("buy", 1, 999)
    there.cancel_all()
    there.lose()
    assert refusal(there.order("buy", 4, 1000)) == "EService:Unavailable"


def test_missed_trades_are_not_made_up_after_a_gap() -> None:
    there = paper()
    there.order("buy", 4, 1000)
    there.lose()
    there.prints((1000, 100, "sell"))
    there.book(BIDS, ASKS)
    assert there.open_units() == [4]
    assert there.prints((1000, 10, "sell")) == []
    assert fills(there.prints((1000, 1, "sell"))) == [(1000, 1)]


# --------------------------------------------------------------- statuses and reference data


def row(**changes: Any) -> PairRow:
    values: dict[str, Any] = {
        "symbol": BTC, "base": "BTC", "quote": "USD", "status": "online", "price_precision": 1,
        "qty_precision": 8, "cost_precision": 5, "price_increment": Decimal("0.1"),
        "qty_min": Decimal("0.00005"), "cost_min": Decimal("0.5"), **changes,
    }  # fmt: skip
    return PairRow(**values)


def test_the_exchanges_status_is_followed() -> None:
    there = paper()
    there.there.hear(SystemIs("maintenance"))
    assert there.there.system == "maintenance"
    assert refusal(there.order("buy", 4)) is not None
    there.there.hear(SystemIs("online"))
    assert fills(there.order("buy", 4)) == [(1001, 4)]


def test_a_pairs_status_and_minimums_are_followed() -> None:
    there = paper()
    there.there.hear(PairsAre((row(qty_min=Decimal("0.1")),), whole=False))
    assert "minimum not met" in str(refusal(there.order("buy", 4)))
    there.there.hear(PairsAre((row(status="cancel_only"),), whole=False))
    assert refusal(there.order("buy", 4)) is not None
    there.there.hear(PairsAre((row(),), whole=False))
    assert fills(there.order("buy", 4)) == [(1001, 4)]


def test_a_pair_that_the_upstream_lists_no_more_is_refused() -> None:
    there = paper()
    there.there.hear(PairsAre((row(symbol="ETH/USD"),), whole=True))
    assert refusal(there.order("buy", 4)) == "Currency pair not supported BTC/USD"
    there.there.hear(PairsAre((row(),), whole=True))
    assert refusal(there.order("buy", 4)) is None


# ----------------------------------------------------------------------- latency and restart


def test_each_latency_is_drawn_from_its_range() -> None:
    drawn = [paper().there.latency_s() for _ in range(3)]
    assert len(set(drawn)) == 1, "the same seed and start draw the same"
    there = paper().there
    many = [there.latency_s() for _ in range(500)]
    assert 0.030 <= min(many) < 0.040
    assert 0.240 < max(many) <= 0.250


def busy(there: Paper) -> None:
    """A life with everything that the journal must bring back."""
    there.book(BIDS, ASKS)
    there.order("buy", 7)
    there.order("buy", 6, 1000)
    there.prints((1000, 12, "sell"))
    there.there.hear(PairsAre((row(cost_min=Decimal(1)),), whole=False))
    there.book([(999, 8)], [(1001, 9), (1004, 2)])
    order = next(iter(there.there.venue.open.values()))
    amend = Amend(order_id=order.order_id, qty=LOT * UNIT * 9, limit_price=Decimal("99.8"))
    there.there.publish(there.there.execute(amend))
    there.wall.pass_seconds(3)
    there.prints((990, 1, "sell"))
    there.lose()
    there.book([(989, 8)], [(1001, 11)])
    there.order("buy", 3, 1001, time_in_force="ioc")


@pytest.mark.parametrize("end", ["killed", "closed"])
async def test_a_restarted_account_is_the_same_to_the_last_unit(tmp_path: Path, end: str) -> None:
    state = tmp_path / "paper"
    there = Paper(state)
    busy(there)
    expected = there.there.truth()
    assert len(expected["trades"]) >= 4
    if end == "closed":
        there.there.close()
    else:
        shutil.copytree(state, tmp_path / "left")
        there.there.close()
        state = tmp_path / "left"
    # No network: the kept rules of the pairs are enough to come back.
    options = SandboxOptions(
        relay=True, relay_rest="http://127.0.0.1:1", relay_public="ws://127.0.0.1:1/v2", state=state
    )
    again = await open_relay(options, there.wall)
    assert again.truth() == expected
    assert {name: o.state.eaten for name, o in again._overlays.items()} == {
        name: o.state.eaten for name, o in there.there._overlays.items()
    }
    again.close()


async def test_a_restart_is_a_gap_until_the_first_book(tmp_path: Path) -> None:
    state = tmp_path / "paper"
    first = Paper(state)
    first.book(BIDS, ASKS)
    first.order("buy", 4, 1000)
    first.there.close()
    options = SandboxOptions(
        relay=True, relay_rest="http://127.0.0.1:1", relay_public="ws://127.0.0.1:1/v2", state=state
    )
    again = await open_relay(options, first.wall)
    second = Paper()
    second.there, second.books = again, {}
    again.live = second.books.get
    assert refusal(second.order("buy", 1)) == "EService:Unavailable"
    assert second.prints((900, 50, "sell")) == []
    assert second.open_units() == [4]
    assert fills(second.book([(980, 1)], [(990, 1)])) == [(1000, 1)]
    again.close()


def test_what_the_venue_was_shown_is_journaled_only_while_it_matters(tmp_path: Path) -> None:
    there = Paper(tmp_path / "paper")

    def lines() -> list[dict[str, Any]]:
        (path,) = (tmp_path / "paper").glob("journal-*")
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    there.book(BIDS, ASKS)
    there.prints((1000, 1, "sell"))
    assert lines() == []
    there.order("buy", 1, 1000)
    assert [line["type"] for line in lines()] == ["relay", "do"]
    there.book([(1000, 9), (999, 20)], ASKS)
    assert lines()[-1]["bids"] == [[1000, 9 * UNIT]]
    there.book([(1000, 9), (999, 20)], ASKS)
    assert len(lines()) == 3
    there.cancel_all()
    there.book(BIDS, ASKS)
    assert len(lines()) == 4
    there.there.close()


async def test_a_paper_account_and_another_market_are_not_taken_for_each_other(
    tmp_path: Path,
) -> None:
    there = Paper(tmp_path / "paper")
    there.there.close()
    with pytest.raises(SandboxError, match="paper account of a test: serve it with --relay"):
        open_exchange(SandboxOptions(state=tmp_path / "paper"), there.wall)
    market = {"stepped": True, "start": there.wall(), "history_bars": 30}
    open_exchange(SandboxOptions(state=tmp_path / "market", **market), there.wall).close()
    with pytest.raises(SandboxError, match="another world"):
        await open_relay(SandboxOptions(relay=True, state=tmp_path / "market"), there.wall)
