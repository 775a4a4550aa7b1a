"""Checks of the state of daemon, exchange and account: whether anything may be traded now."""

from datetime import datetime

from simple_trader.core.risk.case import HALT, RUN, Case, Objection
from simple_trader.core.risk.strikes import COOL_AFTER
from simple_trader.core.risk.venue_states import pair_takes, venue_takes
from simple_trader.domain.instruments import PairStatus
from simple_trader.domain.memory import Strike
from simple_trader.domain.reasons import Reason

# What a cause of REDUCE is called on a refused intent, if a nearer word than REDUCE_ONLY exists.
_REFUSED_AS = {
    Reason.RECONCILING: Reason.NOT_RECONCILED,
    Reason.DAILY_LOSS: Reason.DAILY_LOSS,
    Reason.DRAWDOWN: Reason.DRAWDOWN,
    Reason.STORE_SLOW: Reason.STORE_SLOW,
    Reason.VENUE_NOT_ONLINE: Reason.VENUE_NOT_ONLINE,
    Reason.BALANCE_UNEXPLAINED: Reason.BALANCE_UNEXPLAINED,
    Reason.PRIVATE_DOWN: Reason.PRIVATE_FEED_DOWN,
}


def not_halted(case: Case) -> Objection | None:
    """HALT refuses everything; so does a daemon that is stopping."""
    if case.stopping:
        return Reason.TRADING_HALTED, "the daemon is stopping"
    if case.trading_state == HALT:
        return Reason.TRADING_HALTED, ", ".join(case.causes)
    return None


def no_loss_stop(case: Case) -> Objection | None:
    """After the daily loss or drawdown limit nothing raises exposure until `resume` (I-24)."""
    if not case.raises_exposure:
        return None
    if case.day_stopped:
        return Reason.DAILY_LOSS, "stopped until an operator resumes"
    if case.drawdown_stopped:
        return Reason.DRAWDOWN, "stopped until an operator resumes"
    return None


def not_reduce_only(case: Case) -> Objection | None:
    """REDUCE refuses what raises exposure."""
    if case.trading_state == RUN or not case.raises_exposure:
        return None
    first = case.causes[0] if case.causes else Reason.REDUCE_ONLY
    return _REFUSED_AS.get(first, Reason.REDUCE_ONLY), ", ".join(case.causes)


def private_feed_up(case: Case) -> Objection | None:
    """Without the private connection no order can be sent and no fill seen: nothing is approved."""
    return None if case.private_up else (Reason.PRIVATE_FEED_DOWN, "no private connection")


def pair_online(case: Case) -> Objection | None:
    """The pair takes this order now."""
    status = PairStatus.UNKNOWN if case.rules is None else case.rules.status
    if pair_takes(status, case.intent):
        return None
    return Reason.PAIR_NOT_ONLINE, f"{case.intent.pair} is {status}"


def venue_online(case: Case) -> Objection | None:
    """The exchange takes this order now."""
    if venue_takes(case.venue, case.intent):
        return None
    return Reason.VENUE_NOT_ONLINE, f"the exchange is {case.venue}"


def no_unknown_order(case: Case) -> Objection | None:
    """An order of unknown outcome blocks new risk on its pair."""
    if case.unknown_order is not None and case.raises_exposure:
        return Reason.ORDER_UNKNOWN, f"order {case.unknown_order} is not resolved"
    return None


def one_entry_per_candle(case: Case) -> Objection | None:
    """One order per pair and side in a candle; protective ones are exempt (I-33)."""
    if case.intent.protective or case.guarded_since is None:
        return None
    if case.guarded_since >= case.candle_begin:
        return Reason.SAME_CANDLE, f"already one since {case.candle_begin.isoformat()}"
    return None


def cooled_down(case: Case) -> Objection | None:
    """After refusals in a row the pair waits, after too many requests the account (X16, X18).

    A purchase that lacked funds holds back no protective sale.
    """
    strike = case.strike
    until = None if strike is None or _of_purchases(case, strike) else strike.until
    if _waits(until, case.at):
        return Reason.COOL_DOWN, f"{case.intent.pair} until {until:%H:%M:%S}"
    if _waits(case.paused_until, case.at):
        return Reason.COOL_DOWN, f"the account until {case.paused_until:%H:%M:%S}"
    return None


def _of_purchases(case: Case, strike: Strike) -> bool:
    """Whether a protective sale meets a cool-down that a purchase without funds began."""
    other = strike.side not in {"", case.intent.side.value}
    return case.intent.protective and other and strike.row < COOL_AFTER


def _waits(until: datetime | None, at: datetime) -> bool:
    return until is not None and at < until
