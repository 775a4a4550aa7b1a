"""What may be sent in each state of the exchange and of a pair (X22, X27), as a table.

Each column is a kind of order; `yes` means that the brain approves it and the gate lets it through,
`-` that both refuse it. Brain and gate must never differ.
"""

import msgspec
import pytest
from brain_case import case
from brain_case import intent as intent_of
from brain_desk import BTC, D, Desk, rules
from runtime_parts import HandClock, ListLane, RecordingVenue, request

from simple_trader.core.risk.checks import first_objection
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.actions import CancelAllOrders
from simple_trader.domain.events import NotSent
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.moments import seconds
from simple_trader.domain.orders import Intent, OrderType, TimeInForce
from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved
from simple_trader.runtime.gate import Gate, LoopGap

GTC = TimeInForce.GTC
KINDS: dict[str, Intent] = {
    "entry": intent_of("buy"),
    "resting entry": intent_of("buy", post_only=True, time_in_force=GTC),
    "exit": intent_of("sell"),
    "resting exit": intent_of("sell", post_only=True, time_in_force=GTC),
    "market exit": intent_of("sell", order_type=OrderType.MARKET),
    "stop": intent_of("sell", order_type=OrderType.STOP_LOSS_LIMIT, time_in_force=GTC),
}

# While the exchange is not online the daemon takes no new risk (REDUCE), also where Kraken would.
TABLE = """
state                  | entry | resting entry | exit | resting exit | market exit | stop
exchange online        | yes   | yes           | yes  | yes          | yes         | yes
exchange post_only     | -     | -             | -    | yes          | -           | -
exchange cancel_only   | -     | -             | -    | -            | -           | -
exchange maintenance   | -     | -             | -    | -            | -           | -
exchange unknown       | -     | -             | -    | -            | -           | -
pair online            | yes   | yes           | yes  | yes          | yes         | yes
pair limit_only        | yes   | yes           | yes  | yes          | -           | yes
pair post_only         | -     | yes           | -    | yes          | -           | -
pair reduce_only       | -     | -             | yes  | yes          | yes         | yes
pair cancel_only       | -     | -             | -    | -            | -           | -
pair maintenance       | -     | -             | -    | -            | -           | -
pair delisted          | -     | -             | -    | -            | -           | -
pair work_in_progress  | -     | -             | -    | -            | -           | -
pair unknown           | -     | -             | -    | -            | -           | -
"""
HEAD, *LINES = TABLE.strip().splitlines()
COLUMNS = [name.strip() for name in HEAD.split("|")][1:]
ROWS = {
    line.split("|")[0].strip(): [word.strip() for word in line.split("|")[1:]] for line in LINES
}


def desk_in(state: str) -> Desk:
    """A brain that trades, then learns of the state."""
    desk = Desk()
    desk.open()
    where, word = state.split()
    if where == "exchange":
        desk.do(e.VenueStatusSeen(status=VenueStatus(word)))
    else:
        desk.do(e.InstrumentSeen(rules=rules(BTC, status=PairStatus(word))))
    return desk


def brain_objects(desk: Desk, intent: Intent) -> Reason | None:
    state = desk.engine.state
    judged = case(
        trading_state=state.trading_state,
        causes=state.causes,
        rules=state.rules[BTC],
        venue=state.health.venue,
    )
    objection = first_objection(msgspec.structs.replace(judged, intent=intent))
    return None if objection is None else objection[0]


async def gate_objects(desk: Desk, intent: Intent) -> Reason | None:
    clock, venue, events = HandClock(), RecordingVenue(), []
    gate = Gate(
        venue=venue,
        lane=ListLane(),
        clock=clock,
        emit=events.append,
        halted=lambda: False,
        standing=lambda: desk.engine.trading_state,
        venue_refuses=desk.engine.venue_refuses,
        may_place=lambda: True,
        loop_gap=LoopGap(clock),
    )
    asked = request()
    approved = Approved(
        intent=intent,
        request=asked,
        params_hash="",
        approved_at=clock.now(),
        send_by=clock.now() + seconds(2),
    )
    await gate.send(approved, received_at=clock.real)
    refused = [event.reason for event in events if isinstance(event, NotSent)]
    assert len(venue.sends) == (not refused)
    return refused[0] if refused else None


def test_the_table_names_every_state() -> None:
    named = set(ROWS)
    assert named == {f"exchange {status}" for status in VenueStatus} | {
        f"pair {status}" for status in PairStatus
    }
    assert list(KINDS) == COLUMNS


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("state", ROWS)
async def test_brain_and_gate_take_what_the_table_says(state: str, column: str) -> None:
    desk, intent = desk_in(state), KINDS[column]
    expected = ROWS[state][COLUMNS.index(column)] == "yes"
    by_brain = brain_objects(desk, intent)
    by_gate = await gate_objects(desk, intent)
    assert ((by_brain is None), (by_gate is None)) == (expected, expected), (by_brain, by_gate)
    if not expected:
        word = Reason.VENUE_NOT_ONLINE if state.startswith("exchange") else Reason.PAIR_NOT_ONLINE
        assert by_brain is word
        assert by_gate in {word, Reason.REDUCE_ONLY}


def resting(desk: Desk) -> str:
    """An order of ours that stands at the exchange."""
    asked = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=asked.cl_ord_id, order_id="O1"))
    return asked.cl_ord_id


def cancels(actions: list[a.Action]) -> list[object]:
    return [act for act in actions if isinstance(act, a.CancelOrder | CancelAllOrders)]


def test_x22_a_kill_in_maintenance_cancels_everything_when_it_is_over() -> None:
    desk = Desk()
    desk.open()
    resting(desk)
    desk.do(e.VenueStatusSeen(status=VenueStatus.MAINTENANCE))
    told = desk.do(e.OperatorHalt(actor="me", detail=""))
    assert cancels(told) == []
    assert any("after it" in act.text for act in told if isinstance(act, a.Note))
    assert cancels(desk.timer("risk_check")) == []
    assert cancels(desk.do(e.VenueStatusSeen(status=VenueStatus.CANCEL_ONLY))) == [
        CancelAllOrders(reason=Reason.OPERATOR)
    ]
    assert cancels(desk.do(e.VenueStatusSeen(status=VenueStatus.ONLINE))) == []


def test_a_resume_in_maintenance_forgets_the_kill() -> None:
    desk = Desk()
    desk.open()
    resting(desk)
    desk.do(e.VenueStatusSeen(status=VenueStatus.MAINTENANCE))
    desk.do(e.OperatorHalt(actor="me", detail=""))
    desk.do(e.OperatorResume(actor="me", detail=""))
    assert cancels(desk.do(e.VenueStatusSeen(status=VenueStatus.ONLINE))) == []


def test_a_cancel_that_was_refused_under_halt_is_asked_for_again() -> None:
    desk = Desk()
    desk.open()
    name = resting(desk)
    first = cancels(desk.do(e.OperatorHalt(actor="me", detail="")))
    assert first == [CancelAllOrders(reason=Reason.OPERATOR)]
    desk.do(e.CancelRejected(cl_ord_id=name, error="EOrder:Rate limit exceeded"))
    (again,) = cancels(desk.timer("risk_check"))
    assert isinstance(again, a.CancelOrder)
    assert again.cl_ord_id == name
    assert cancels(desk.timer("risk_check")) == [], "one is under way"


def test_maintenance_found_at_the_start_holds_from_the_first_moment() -> None:
    desk = Desk()
    desk.start(venue=VenueStatus.MAINTENANCE)
    assert Reason.VENUE_NOT_ONLINE in desk.engine.state.causes
    assert desk.engine.venue_refuses(intent_of("sell", qty=D("0.002"))) is not None
