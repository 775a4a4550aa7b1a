"""Which feeds a configuration asks for: the one place that reads the switches of config.yaml."""

from collections.abc import Sequence

from simple_trader.config.schema import Settings
from simple_trader.ports import FeedPlan


def feed_plan(settings: Settings, pairs: Sequence[str]) -> FeedPlan:
    """The feeds of `pairs`.

    There is one book of each pair: the full one where it is on, else the minimal one where that is.
    """
    full = settings.enable_order_book_feed
    return FeedPlan(
        pairs=tuple(pairs),
        public=settings.enable_public_feed,
        private=settings.enable_private_feed,
        book=full or settings.enable_minimal_order_book_feed,
        book_depth=settings.order_book_depth if full else settings.minimal_order_book_depth,
    )


def feeds_of(plan: FeedPlan) -> tuple[str, ...]:
    """Names of the feeds that are on: they must be up before the daemon is ready."""
    switches = {"public": plan.public, "private": plan.private, "book": plan.book}
    return tuple(name for name, is_on in switches.items() if is_on)
