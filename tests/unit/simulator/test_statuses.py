"""What each status lets through."""

from typing import get_args

import pytest

from simple_trader.simulator.orders import OrderType, PairStatus, SystemStatus
from simple_trader.simulator.statuses import matches, refuse_amend, refuse_cancel, refuse_new

DOWN = "EService:Unavailable"


def mode(status: str) -> str:
    return f"EService:Market in {status} mode"


@pytest.mark.parametrize(
    ("system", "market", "post_only", "amend", "cancel"),
    [
        ("online", None, None, None, None),
        ("cancel_only", mode("cancel_only"), mode("cancel_only"), mode("cancel_only"), None),
        ("post_only", mode("post_only"), None, None, None),
        ("maintenance", DOWN, DOWN, DOWN, DOWN),
    ],
)
def test_the_system_s_status_decides_for_all_pairs(
    system: SystemStatus, market: str | None, post_only: str | None, amend: str | None,
    cancel: str | None,
) -> None:  # fmt: skip
    assert refuse_new(system, "online", "market", post_only=False) == market
    assert refuse_new(system, "online", "limit", post_only=True) == post_only
    assert refuse_amend(system, "online") == amend
    assert refuse_cancel(system, "online") == cancel


@pytest.mark.parametrize(
    ("pair", "market", "limit", "post_only", "amend", "cancel"),
    [
        ("online", None, None, None, None, None),
        ("cancel_only", *[mode("cancel_only")] * 4, None),
        ("post_only", mode("post_only"), mode("post_only"), None, None, None),
        ("limit_only", mode("limit_only"), None, None, None, None),
        ("reduce_only", *[mode("reduce_only")] * 4, None),
        ("maintenance", *[DOWN] * 5),
        ("work_in_progress", *[DOWN] * 5),
    ],
)
def test_a_pair_s_status_decides_for_that_pair(
    pair: PairStatus, market: str | None, limit: str | None, post_only: str | None,
    amend: str | None, cancel: str | None,
) -> None:  # fmt: skip
    assert refuse_new("online", pair, "market", post_only=False) == market
    assert refuse_new("online", pair, "limit", post_only=False) == limit
    assert refuse_new("online", pair, "limit", post_only=True) == post_only
    assert refuse_amend("online", pair) == amend
    assert refuse_cancel("online", pair) == cancel


def test_limit_only_lets_exactly_the_orders_with_a_limit_in() -> None:
    allowed = {
        kind
        for kind in get_args(OrderType)
        if refuse_new("online", "limit_only", kind, post_only=False) is None
    }
    assert allowed == {
        "limit",
        "iceberg",
        "stop-loss-limit",
        "take-profit-limit",
        "trailing-stop-limit",
    }


def test_orders_trade_only_while_system_and_pair_say_so() -> None:
    trading = {pair for pair in get_args(PairStatus) if matches("online", pair)}
    assert trading == {"online", "limit_only", "reduce_only"}
    for system in ("cancel_only", "post_only", "maintenance"):
        assert not matches(system, "online")
