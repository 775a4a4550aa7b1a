"""Refusals in a row: cool-downs that double, pauses, bounds on the size, and what ends them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from brain_desk import BTC, ETH, T0, D

from simple_trader.core.risk.strikes import COOL_AFTER, lifted, refused, taken
from simple_trader.domain.events import RejectKind
from simple_trader.domain.memory import RiskMemory


def struck(
    times: int,
    kind: RejectKind = RejectKind.OTHER,
    memory: RiskMemory | None = None,
    qty: str = "1",
) -> RiskMemory:
    """So many refusals on BTC/USD, at once."""
    memory = memory or RiskMemory()
    for _ in range(times):
        memory = refused(memory, BTC, "buy", D(qty), kind, T0)
    return memory


def test_x16_four_refusals_do_nothing_and_the_fifth_cools_the_pair_for_a_minute() -> None:
    assert struck(COOL_AFTER - 1).strikes[BTC].until is None
    memory = struck(COOL_AFTER)
    assert memory.strikes[BTC].until == T0 + timedelta(seconds=60)
    assert ETH not in memory.strikes
    assert memory.rejects_in_row == COOL_AFTER


@pytest.mark.parametrize(
    ("times", "pause_s"), [(5, 60), (6, 120), (7, 240), (8, 480), (9, 900), (15, 900)]
)
def test_x16_the_cool_down_doubles_up_to_a_quarter_of_an_hour(times: int, pause_s: int) -> None:
    assert struck(times).strikes[BTC].until == T0 + timedelta(seconds=pause_s)


@pytest.mark.parametrize("kind", [RejectKind.FUNDS, RejectKind.CROWDED])
def test_x17_x33_no_funds_or_too_many_orders_cool_the_pair_at_once(kind: RejectKind) -> None:
    assert struck(1, kind).strikes[BTC].until == T0 + timedelta(seconds=60)


def test_x17_the_least_refused_quantity_bounds_the_side() -> None:
    memory = struck(1, RejectKind.FUNDS, qty="2")
    memory = struck(1, RejectKind.FUNDS, memory, qty="3")
    assert (memory.strikes[BTC].side, memory.strikes[BTC].most_qty) == ("buy", Decimal(2))
    assert struck(1, RejectKind.FUNDS, memory, qty="1").strikes[BTC].most_qty == 1


@pytest.mark.parametrize(("times", "pause_s"), [(1, 5), (2, 10), (4, 40), (7, 320), (9, 320)])
def test_x18_too_many_requests_pause_the_account_ever_longer(times: int, pause_s: int) -> None:
    assert struck(times, RejectKind.RATE).paused_until == T0 + timedelta(seconds=pause_s)


def test_x16_an_order_that_is_taken_ends_the_row_of_its_pair_and_the_pause() -> None:
    memory = refused(struck(6, RejectKind.RATE), ETH, "buy", D(1), RejectKind.OTHER, T0)
    after = taken(memory, BTC)
    assert set(after.strikes) == {ETH}
    assert (after.rejects_in_row, after.paused_until) == (0, None)
    assert taken(RiskMemory(), BTC) == RiskMemory()


def test_x16_a_person_who_resumes_ends_all_rows() -> None:
    assert lifted(struck(9, RejectKind.RATE)) == RiskMemory()
