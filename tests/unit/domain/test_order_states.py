"""The table of order states: every cell is checked, the ugly real ones by name."""

from dataclasses import dataclass

import pytest

from simple_trader.domain.order_states import (
    CHANGES,
    MEANING,
    TERMINAL,
    TRANSITIONS,
    UNRESOLVED,
    OrderState,
    may_become,
)

S = OrderState


def test_every_state_has_its_meaning_and_its_row() -> None:
    assert set(TRANSITIONS) == set(MEANING) == set(OrderState)


def test_no_row_stands_twice_and_each_says_what_happened() -> None:
    pairs = [(change.old, change.new) for change in CHANGES]
    assert len(pairs) == len(set(pairs))
    assert all(change.meaning.endswith(".") for change in CHANGES)
    assert all(change.old is not change.new for change in CHANGES)


@pytest.mark.parametrize("state", list(OrderState))
def test_staying_is_always_allowed(state: OrderState) -> None:
    assert may_become(state, state)


@dataclass
class Real:
    """A change that looks wrong and happens."""

    old: OrderState
    new: OrderState


@pytest.mark.parametrize(
    "real",
    [
        Real(S.DISPATCHING, S.FILLED),  # X04: the fill came before our own "sent"
        Real(S.SENT, S.PARTIAL),  # a fill without an ack
        Real(S.OPEN, S.REJECTED),  # post-only accepted, then refused
        Real(S.PENDING_CANCEL, S.FILLED),  # filled while being cancelled
        Real(S.PENDING_CANCEL, S.OPEN),  # the cancel was refused
        Real(S.CANCELED, S.FILLED),  # X06: a late fill completes it
        Real(S.EXPIRED, S.FILLED),
        Real(S.NOT_ACCEPTED, S.OPEN),  # late evidence
        Real(S.REJECTED, S.PARTIAL),
        Real(S.UNKNOWN, S.NOT_ACCEPTED),
    ],
    ids=lambda real: f"{real.old}-{real.new}",
)
def test_i_06_real_changes_are_allowed(real: Real) -> None:
    assert may_become(real.old, real.new)


@pytest.mark.parametrize("state", [S.DISPATCHING, S.SENT])
def test_i_03_nothing_ever_becomes_sendable_again(state: OrderState) -> None:
    came_from = {old for old, news in TRANSITIONS.items() if state in news}
    assert came_from <= {S.DISPATCHING}


def test_i_06_what_was_never_sent_and_what_is_filled_stay_so() -> None:
    assert TRANSITIONS[S.VOID] == frozenset()
    assert TRANSITIONS[S.FILLED] == frozenset()


def test_i_05_only_an_unknown_order_may_be_taken_as_never_accepted() -> None:
    assert [s for s in OrderState if S.NOT_ACCEPTED in TRANSITIONS[s]] == [S.UNKNOWN]


def test_terminal_and_unresolved_do_not_overlap() -> None:
    assert not TERMINAL & UNRESOLVED
