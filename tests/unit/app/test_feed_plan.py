"""Feeds as the switches of config.yaml have them: one book of each pair, full or minimal."""

import pytest

from simple_trader.app.feed_plan import feed_plan, feeds_of
from simple_trader.config.schema import Settings
from simple_trader.ports import FeedPlan


@pytest.mark.parametrize(
    ("full", "minimal", "book", "depth"),
    [
        (True, False, True, 100),
        (True, True, True, 100),
        (False, True, True, 25),
        (False, False, False, 25),
    ],
)
def test_the_minimal_book_stands_in_where_the_full_one_is_off(
    full: bool, minimal: bool, book: bool, depth: int
) -> None:
    settings = Settings(
        enable_order_book_feed=full,
        order_book_depth=100,
        enable_minimal_order_book_feed=minimal,
        minimal_order_book_depth=25,
    )
    plan = feed_plan(settings, ["BTC/USD"])
    assert plan == FeedPlan(
        pairs=("BTC/USD",), public=True, private=True, book=book, book_depth=depth
    )


@pytest.mark.parametrize("off", ["public", "private", "book"])
def test_a_feed_that_is_off_is_not_waited_for(off: str) -> None:
    name = "order_book" if off == "book" else off
    settings = Settings.model_validate({f"enable_{name}_feed": False})
    wanted = feeds_of(feed_plan(settings, ()))
    assert set(wanted) == {"public", "private", "book"} - {off}
