"""Rules of risk over time: I-18, I-21 to I-24, I-28, I-29, I-33."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from checker.evidence import Evidence
from checker.record import ZERO
from checker.rows import Row
from checker.wire import SentOrder

# I-28 allows this long from a halt to the last order; a state that just changed gets the same.
GRACE = timedelta(milliseconds=250)
CANCELS_WITHIN = timedelta(milliseconds=500)
# Fees and marks of the daemon are a moment older than ours; quantities are exact.
SLACK = Decimal("0.01")
WORST_FEE = Decimal("0.0040")
SWITCH_MOST_S = 60
WAY = timedelta(seconds=1)
SWITCH_LATE = timedelta(seconds=25)


def i_18(e: Evidence) -> Iterator[str]:
    """At each purchase sent: position + everything that may still fill, at limit and fee, is within
    the caps; marks are the middles that the wire told, with one percent of equity as slack.
    """
    caps = e.facts.caps
    for sent in e.wire.orders:
        if not sent.raises:
            continue
        price = sent.limit_price or ZERO
        if caps.order_value is not None and sent.qty * price > caps.order_value:
            yield f"order {sent.cl_ord_id} is worth {sent.qty * price}, at most {caps.order_value}"
        if caps.asset is None and caps.total is None:
            continue
        value = _exposure(e, sent)
        equity = _equity(e, sent.at)
        if value is None or equity is None:
            continue
        base = sent.pair.split("/")[0]
        slack = equity * SLACK
        for cap, has, what in (
            (caps.asset, value.get(base, ZERO), base),
            (caps.total, sum(value.values(), ZERO), "all assets"),
        ):
            if cap is not None and has > cap * equity + slack:
                yield (
                    f"order {sent.cl_ord_id} brings {what} to {has:.2f}, cap {cap} of {equity:.2f}"
                )


def _rate(e: Evidence, asset: str, at: datetime) -> Decimal | None:
    if asset == e.facts.caps.currency:
        return Decimal(1)
    return e.wire.mid_at(f"{asset}/{e.facts.caps.currency}", at)


def _watched(e: Evidence) -> set[str]:
    return {asset for pair in e.facts.pairs for asset in pair.split("/")}


def _equity(e: Evidence, at: datetime) -> Decimal | None:
    value = ZERO
    watched = _watched(e)
    for asset, qty in e.truth.balance_at(at).items():
        if asset not in watched or qty == ZERO:
            continue
        rate = _rate(e, asset, at)
        if rate is None:
            return None
        value += qty * rate
    return value


def _exposure(e: Evidence, latest: SentOrder) -> dict[str, Decimal] | None:
    """Worst-case value by asset when `latest` was sent, that order included."""
    at, currency = latest.at, e.facts.caps.currency
    value: dict[str, Decimal] = {}
    watched = _watched(e)
    for asset, qty in e.truth.balance_at(at).items():
        if asset == currency or qty == ZERO or asset not in watched:
            continue
        rate = _rate(e, asset, at)
        if rate is None:
            return None
        value[asset] = value.get(asset, ZERO) + qty * rate
    for sent in e.wire.orders:
        if sent.n > latest.n:
            break
        left = may_still_fill(e, sent, at)
        if sent.raises and left > ZERO:
            base, quote = sent.pair.split("/")
            rate = _rate(e, quote, at)
            if rate is None:
                return None
            cost = left * (sent.limit_price or ZERO) * (1 + WORST_FEE)
            value[base] = value.get(base, ZERO) + cost * rate
    return value


def may_still_fill(e: Evidence, sent: SentOrder, at: datetime) -> Decimal:
    """What of an order may still fill at a moment, by the exchange's own books."""
    found = e.true_orders.get(str(sent.cl_ord_id))
    if not found:
        # It never got in: until its deadline nobody could know.
        return sent.qty if sent.deadline is None or at <= sent.deadline else ZERO
    order = found[0]
    if order.closed_at is not None and order.closed_at <= at:
        return ZERO
    done = sum((t.qty for t in e.truth.trades if t.order_id == order.order_id and t.at <= at), ZERO)
    return sent.qty - done


def i_21(e: Evidence) -> Iterator[str]:
    """No order on a pair of which the public side said nothing for max_age (its way included). How
    the price itself was judged is shown by unit tests of the checks.
    """
    most = timedelta(seconds=float(e.facts.caps.max_age_s)) + WAY
    for sent in e.wire.orders:
        told = e.wire.last_told.get(sent.pair, ())
        index = bisect_right(told, sent.at)
        if index == 0 or sent.at - told[index - 1] > most:
            last = told[index - 1] if index else None
            yield f"order {sent.cl_ord_id} went out at {sent.at}, {sent.pair} was told {last}"


def i_22(e: Evidence) -> Iterator[str]:
    """Orders and their notional in any minute, hour and day stay within the configured limits."""
    caps = e.facts.caps
    windows = (
        (timedelta(minutes=1), caps.notional_per_minute),
        (timedelta(hours=1), caps.notional_per_hour),
        (timedelta(days=1), caps.notional_per_day),
    )
    for index, sent in enumerate(e.wire.orders):
        for span, most in windows:
            if most is None or not sent.raises:
                continue
            total = sum(
                (_notional(e, o) for o in e.wire.orders[: index + 1] if o.at > sent.at - span), ZERO
            )
            if total > most * (1 + SLACK):
                yield f"order {sent.cl_ord_id} makes {total:.2f} in {span}, at most {most}"
        if caps.orders_per_minute is not None:
            since = sent.at - timedelta(minutes=1)
            count = sum(1 for o in e.wire.orders[: index + 1] if o.at > since)
            if count > caps.orders_per_minute:
                yield f"order {sent.cl_ord_id} is number {count} of its minute"


def _notional(e: Evidence, sent: SentOrder) -> Decimal:
    rate = _rate(e, sent.pair.split("/")[1], sent.at) or ZERO
    return sent.qty * (sent.limit_price or ZERO) * rate if sent.raises else ZERO


def i_23(e: Evidence) -> Iterator[str]:
    """By the rows: nothing goes out in HALT, no purchase in REDUCE; cancels always may.

    A state holds from the moment its row is dated, with the 250 ms of I-28 for what was under way,
    until the row of the next one is committed: no order goes out on a word that is not kept. (By
    its date where no commit is stamped; a date is of the daemon's clock, which may be off: P04.)
    """
    for begin, end in _spans(e, ("HALT",)):
        for sent in e.wire.orders:
            if begin + GRACE < sent.at and _before(sent, end):
                yield f"order {sent.cl_ord_id} went out at {sent.at}, HALT since {begin}"
        for cancel in e.wire.cancels:
            amends = cancel.what in ("amend_order", "edit_order", "AmendOrder", "EditOrder")
            until = e.facts.ended_at if end is None else end["at"]
            if amends and begin + GRACE < cancel.at < until:
                yield f"{cancel.what} went out at {cancel.at}, HALT since {begin}"
    for begin, end in _spans(e, ("HALT", "REDUCE")):
        for sent in e.wire.orders:
            if sent.raises and begin + GRACE < sent.at and _before(sent, end):
                yield f"purchase {sent.cl_ord_id} went out at {sent.at}, REDUCE since {begin}"


def _before(sent: SentOrder, end: Row | None) -> bool:
    """Whether an order went out before the state of this row held; None: it never did."""
    if end is None:
        return True
    stamp = end.get("committed_at")
    return sent.at < end["at"] if stamp is None else sent.real < stamp


def _spans(e: Evidence, states: tuple[str, ...]) -> Iterator[tuple[datetime, Row | None]]:
    """From the first row of one of these states to the first of another, again and again."""
    begin: datetime | None = None
    for row in e.rows.risk_history or []:
        if row["state"] in states:
            begin = begin or row["at"]
        elif begin is not None:
            yield begin, row
            begin = None
    if begin is not None:
        yield begin, None


def i_24(e: Evidence) -> Iterator[str]:
    """After a loss stop no purchase leaves, after a halt nothing does, over any restart, until an
    operator resumes: neither is ever lifted without one.
    """
    resumes = _resumes(e)
    since: dict[str, datetime] = {}
    for row in e.rows.risk_history or []:
        for latch in ("day_stopped", "halted"):
            if row[latch]:
                since.setdefault(latch, row["at"])
            elif latch in since:
                begun = since.pop(latch)
                if not any(begun <= at <= row["at"] for at in resumes):
                    yield f"{latch} of {begun} was gone at {row['at']} without an operator"
    stops = [row["at"] for row in e.rows.risk_history or [] if row["day_stopped"]]
    for sent in e.wire.orders:
        before = [at for at in stops if at + GRACE < sent.at]
        if sent.raises and before and not any(before[-1] <= at <= sent.at for at in resumes):
            yield f"purchase {sent.cl_ord_id} went out at {sent.at}, stopped since {before[-1]}"


def _resumes(e: Evidence) -> list[datetime]:
    """Moments at which an operator resumed, by the harness and by the audit log."""
    found = [at for at, what in e.facts.halts if what == "resume"]
    return found + [
        row["at"] for row in e.rows.audit if row["action"] == "resume" and row["origin"] != "engine"
    ]


def i_28(e: Evidence) -> Iterator[str]:
    """After a kill switch: no order later than 250 ms, own resting orders cancelled or a cancel on
    the wire within 500 ms (asked again where it was refused).
    """
    for index, (at, what) in enumerate(e.facts.halts):
        if what != "halt":
            continue
        until = next((when for when, word in e.facts.halts[index + 1 :] if word == "resume"), None)
        for sent in e.wire.orders:
            if sent.at > at + GRACE and (until is None or sent.at < until):
                yield f"order {sent.cl_ord_id} went out at {sent.at}, halted at {at}"
        if _asleep(e, at):
            continue
        for found in e.true_orders.values():
            order = found[0]
            rests = order.opened_at < at and (order.closed_at is None or order.closed_at > at)
            if not rests or (order.closed_at or at) > at + CANCELS_WITHIN:
                continue
            yield from _cancelled(e, order.order_id, str(order.cl_ord_id), at, order.closed_at)


def _cancelled(
    e: Evidence, order_id: str, name: str, at: datetime, closed_at: datetime | None
) -> Iterator[str]:
    limit = at + CANCELS_WITHIN
    asked = any(
        at <= cancel.at <= limit
        and (cancel.everything or order_id in cancel.order_ids or name in cancel.cl_ord_ids)
        for cancel in e.wire.cancels
    )
    if not asked and (closed_at is None or closed_at > limit):
        yield f"order {name} rested at the halt of {at} and no cancel came until {limit}"


def _asleep(e: Evidence, at: datetime) -> bool:
    """Whether no daemon could hear of a halt then: paused, dead, or the network was gone."""
    spans = (*e.facts.pauses, *e.facts.outages)
    if any(span.begun_at <= at <= span.ended_at for span in spans):
        return True
    alive = [life for life in e.facts.lives if life.begun_at <= at]
    return bool(alive) and alive[-1].ended_at is not None and alive[-1].ended_at <= at


def i_29(e: Evidence) -> Iterator[str]:
    """The dead man's switch is armed for at most 60 s, only while purchases of ours rest and no
    protective order does; in calm it is armed and refreshed while they do.
    """
    resting = [order for found in e.true_orders.values() for order in found]
    entries = [o for o in resting if o.side == "buy" and o.time_in_force != "ioc"]
    exits = [o for o in resting if o.side == "sell" and o.time_in_force != "ioc"]
    near = timedelta(seconds=2)

    def stands(orders: list, at: datetime) -> bool:
        return any(
            order.opened_at <= at + near
            and (order.closed_at is None or order.closed_at >= at - near)
            for order in orders
        )

    for switch in e.wire.switches:
        if switch.timeout_s == 0:
            continue
        if switch.timeout_s > SWITCH_MOST_S:
            yield f"the switch was armed for {switch.timeout_s} s at {switch.at}"
        if e.facts.dead_man_switch != "auto":
            yield f"the switch was armed at {switch.at} although it is off"
        elif not stands(entries, switch.at) or stands(exits, switch.at):
            yield f"the switch was armed at {switch.at} while no entry alone rested"
    if e.facts.dead_man_switch == "auto" and e.facts.calm_at is not None:
        yield from _unguarded(e, entries, exits)


def _unguarded(e: Evidence, entries: list, exits: list) -> Iterator[str]:
    for order in entries:
        begin = max(order.opened_at, e.facts.calm_at or order.opened_at)
        end = min(order.closed_at or e.facts.ended_at, e.facts.ended_at)
        arms = [s.at for s in e.wire.switches if s.timeout_s and begin <= s.at <= end]
        shielded = any(o.opened_at < end and (o.closed_at or end) > begin for o in exits)
        for before, after in zip([begin, *arms], [*arms, end], strict=True):
            if not shielded and after - before > SWITCH_LATE:
                yield f"order {order.cl_ord_id} rested from {before} to {after} without a switch"


def i_33(e: Evidence) -> Iterator[str]:
    """One entry on the wire for each pair, side and candle; exits are exempt."""
    if e.facts.candle is None:
        return
    seen: dict[tuple[str, str, int], str] = {}
    for sent, row in e.sends():
        if row is None or row["origin"] != "ai":
            continue
        number = int(row["approved_at"].timestamp() // e.facts.candle.total_seconds())
        first = seen.setdefault((sent.pair, sent.side, number), str(sent.cl_ord_id))
        if first != sent.cl_ord_id:
            yield f"orders {first} and {sent.cl_ord_id} went out in one candle of {sent.pair}"


RULES = {
    "I-18": i_18,
    "I-21": i_21,
    "I-22": i_22,
    "I-23": i_23,
    "I-24": i_24,
    "I-28": i_28,
    "I-29": i_29,
    "I-33": i_33,
}
