"""What each state of exchange and pair takes, and that an unknown one takes nothing."""

from brain_case import intent
from brain_desk import BTC, rules

from simple_trader.core.risk.venue_states import pair_takes, refusal, takes_cancels, venue_takes
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.orders import OrderType
from simple_trader.domain.reasons import Reason


def test_only_online_takes_everything() -> None:
    market = intent("sell", order_type=OrderType.MARKET)
    assert [status for status in VenueStatus if venue_takes(status, market)] == ["online"]
    assert [status for status in PairStatus if pair_takes(status, market)] == [
        "online",
        "reduce_only",
    ]


def test_post_only_takes_an_order_that_rests_for_sure() -> None:
    assert venue_takes(VenueStatus.POST_ONLY, intent(post_only=True))
    assert not venue_takes(VenueStatus.POST_ONLY, intent())
    stop = intent(order_type=OrderType.STOP_LOSS_LIMIT, post_only=True)
    assert not venue_takes(VenueStatus.POST_ONLY, stop)


def test_x22_only_maintenance_takes_no_cancels() -> None:
    assert [status for status in VenueStatus if not takes_cancels(status)] == ["maintenance"]


def test_a_refusal_names_what_stands_in_the_way() -> None:
    pair, online = rules(BTC), VenueStatus.ONLINE
    assert refusal(intent(), pair, online) is None
    assert refusal(intent(), None, online) == (Reason.NO_INSTRUMENT, f"no rules for {BTC}")
    closed = rules(BTC, status=PairStatus.CANCEL_ONLY)
    assert refusal(intent(), closed, online) == (
        Reason.PAIR_NOT_ONLINE,
        f"{BTC} is cancel_only",
    )
    assert refusal(intent(), pair, VenueStatus.UNKNOWN) == (
        Reason.VENUE_NOT_ONLINE,
        "the exchange is unknown",
    )
