"""I-12 over real reports of the simulator: any order, any repetition, the same books."""

from functools import cache
from typing import Any

import msgspec
from brain_desk import settings, started
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from virtual_time import START

from lost_acks.case import intent_of
from lost_acks.run import play
from lost_acks.world import EPOCH, World
from simple_trader.core.engine import Engine
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r

SEED = 2  # orders that fill whole, in part and in many pieces, told by stream and by REST


@cache
def heard() -> World:
    """A world that was played to its end."""
    return play(SEED)[0]


def books(events: list[Any]) -> tuple[Any, ...]:
    """Lots, orders, PnL and the newest row of each trade after these events."""
    world, engine = heard(), Engine()
    begun = started(epoch=EPOCH, settings=settings(enable_aggregator=False))
    engine.process(e.Stamped(1, START, begun))
    for case in world.side.cases.values():
        engine.state.orders.put(intent_of(case, START))
    rows: dict[str, Any] = {}
    for number, event in enumerate(events, start=2):
        for action in engine.process(e.Stamped(number, START, event)):
            if isinstance(action, a.Remember) and isinstance(action.record, r.TradeRow):
                fill = action.record.fill
                rows[fill.exec_id] = (fill.fees, fill.fee_value(), action.record.realised_pnl)
    state = engine.state
    assert state.orders.broken == []
    orders = [
        (name, order.state, order.filled_qty, order.filled_cost, order.fees_quote)
        for name, order in sorted(state.orders.orders.items())
    ]
    return msgspec.json.encode(state.lots.lots()), orders, sorted(rows.items())


def test_i_12_the_reports_hold_what_matters() -> None:
    events = heard().heard
    fills = [x.fill.exec_id for x in events if isinstance(x, e.ExecutionReport) and x.fill]
    assert len(set(fills)) >= 2
    assert any(isinstance(x, e.LedgerSeen) and x.entry.kind == "trade" for x in events)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_i_12_any_permutation_and_duplication_of_real_reports_gives_identical_books(
    data: st.DataObject,
) -> None:
    events = list(heard().heard)
    order = data.draw(st.permutations(range(len(events))))
    repeats = data.draw(st.lists(st.integers(0, len(events) - 1), max_size=len(events)))
    assert books([events[n] for n in (*order, *repeats)]) == books(events)
