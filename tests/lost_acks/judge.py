"""The verdict on a case, by the exchange's own ledger: settled rightly, once, and in time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lost_acks.case import Case
from lost_acks.world import World
from simple_trader.domain.order_states import OrderState
from simple_trader.simulator.orders import LIVE

S = OrderState
ENDS = {"filled": S.FILLED, "canceled": S.CANCELED, "expired": S.EXPIRED}
LEAST_S, MOST_S = 75.0, 90.0
STREAM_S = 1.0  # after the stream showed it
# Between two looks that cannot conclude, with the look itself: the plan counts on a REST counter
# that earns one in 18 s, and the account's own full looks need it, too.
LONGEST_S = 46.0
SLACK = timedelta(seconds=0.001)


@dataclass
class Verdict:
    """What a case came to: `delay_s` is from when it could be known to when it was settled."""

    kind: str
    delay_s: float
    wrong: list[str]


def settled_at(case: Case) -> datetime | None:
    """When it last left the unknown."""
    unknown = (S.UNKNOWN, S.SENT, S.DISPATCHING)
    before = None
    for at, state in case.states:
        if state in unknown:
            before = None
        elif before is None:
            before = at
    return before


def judge(world: World, case: Case) -> Verdict:
    """Compare what we believe with what is."""
    real = [o for o in world.exchange.venue.orders_of("main") if o.cl_ord_id == case.name]
    wrong: list[str] = []
    if case.sends != 1:
        wrong.append(f"it was sent {case.sends} times")
    if len(real) > 1:
        wrong.append(f"the exchange has it {len(real)} times")
    ours = world.engine.state.orders.orders[case.name]
    done = settled_at(case)
    if done is None:
        return Verdict("never", 0.0, [*wrong, f"it is still {ours.state}"])
    if not real:
        return _never_landed(world, case, ours.state, done, wrong)
    (order,) = real
    fills = [
        trade.exec_id
        for trade in world.exchange.venue.state.trades
        if trade.order_id == order.order_id
    ]
    if any(state is S.NOT_ACCEPTED for _, state in case.states):
        wrong.append("it landed and was taken as never accepted")
    told = order.order_id not in world.side.untold
    known_all = sorted(fills) == sorted(set(case.fills)) and ours.filled_qty == order.cum_qty
    if not known_all and (told or not set(case.fills) <= set(fills)):
        wrong.append(f"fills are {sorted(set(case.fills))}, really {sorted(fills)}")
    if told and order.status not in LIVE and ours.state is not ENDS[order.status]:
        wrong.append(f"it is {ours.state}, really {order.status}")
    if told and order.status in LIVE and ours.state not in (S.OPEN, S.PARTIAL):
        wrong.append(f"it is {ours.state}, really {order.status}")
    by_rest = order.opened_at + timedelta(seconds=world.weather.rest_lag_s)
    streamed = case.seen_at is not None and case.seen_at <= by_rest
    known = case.seen_at if streamed and case.seen_at is not None else by_rest
    limit_s = STREAM_S if streamed else LONGEST_S
    delay_s = max(0.0, (done - known).total_seconds())
    if delay_s > limit_s and not _excused(world):
        wrong.append(f"it could be known for {delay_s:.1f} s before it was settled")
    missed = [
        began
        for began, ended, status, error in case.looks
        if not error and status is None and began > by_rest + SLACK
    ]
    if missed:
        wrong.append(f"a look begun {missed[0]} did not see it, REST showed it since {by_rest}")
    kind = "rest, which fails" if _excused(world) else "rest"
    return Verdict("stream" if streamed else kind, delay_s, wrong)


def _excused(world: World) -> bool:
    """Whether REST itself fails or repeats its pages: no plan can make it answer in time."""
    return world.weather.rest_fails > 0 or (
        world.weather.pages_shift > 0 and world.weather.tier != "none"
    )


def _never_landed(world: World, case: Case, state: S, done: datetime, wrong: list[str]) -> Verdict:
    after_s = (done - case.request.deadline).total_seconds()
    if state is not S.NOT_ACCEPTED:
        wrong.append(f"it never landed and is {state}")
    elif after_s <= LEAST_S or (after_s > MOST_S and not _excused(world)):
        wrong.append(f"it was given up {after_s:.1f} s after its deadline")
    kind = "not landed, REST fails" if _excused(world) else "not landed"
    return Verdict(kind, after_s, wrong)
