"""What exchange and pair take in each of their states (protocol sections 3.1 and 3.6).

One rule for the brain, which asks before it approves, and for the gate, which asks once more before
it sends. A word that is not known reads as UNKNOWN: no order.
"""

from simple_trader.domain.instruments import PairRules, PairStatus, VenueStatus
from simple_trader.domain.orders import Intent, OrderType
from simple_trader.domain.reasons import Reason


def venue_takes(status: VenueStatus, intent: Intent) -> bool:
    """Whether the exchange as a whole takes the order: post_only takes what rests, for sure."""
    if status is VenueStatus.ONLINE:
        return True
    return status is VenueStatus.POST_ONLY and _rests(intent)


def pair_takes(status: PairStatus, intent: Intent) -> bool:
    """Whether the pair takes the order."""
    if status is PairStatus.ONLINE:
        return True
    if status is PairStatus.LIMIT_ONLY:
        return intent.order_type.has_limit
    if status is PairStatus.REDUCE_ONLY:
        return intent.lowers_exposure
    return status is PairStatus.POST_ONLY and _rests(intent)


def takes_cancels(status: VenueStatus) -> bool:
    """Whether a cancel may be sent; in a state that is not known it is tried."""
    return status is not VenueStatus.MAINTENANCE


def refusal(
    intent: Intent, rules: PairRules | None, venue: VenueStatus
) -> tuple[Reason, str] | None:
    """Why this order must not be sent now, or None."""
    if rules is None:
        return Reason.NO_INSTRUMENT, f"no rules for {intent.pair}"
    if not pair_takes(rules.status, intent):
        return Reason.PAIR_NOT_ONLINE, f"{intent.pair} is {rules.status}"
    if not venue_takes(venue, intent):
        return Reason.VENUE_NOT_ONLINE, f"the exchange is {venue}"
    return None


def _rests(intent: Intent) -> bool:
    return intent.post_only and intent.order_type is OrderType.LIMIT
