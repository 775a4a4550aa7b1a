"""Order states: the one table of what an order of ours may become, with the ugly real rows marked.

Completion is decided by quantity, never by a word: an order is FILLED when its fills add up to it
(I-07). What stands not in the table does not happen: `core` latches HALT where it is asked for, and
the trigger `guard_order` of the database refuses it (I-03, I-06), made from this same table.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class OrderState(StrEnum):
    """Where one intent stands; what each means is in MEANING."""

    DISPATCHING = "DISPATCHING"
    SENT = "SENT"
    OPEN = "OPEN"
    AMENDING = "AMENDING"
    PARTIAL = "PARTIAL"
    PENDING_CANCEL = "PENDING_CANCEL"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    VOID = "VOID"
    UNKNOWN = "UNKNOWN"
    NOT_ACCEPTED = "NOT_ACCEPTED"


_S = OrderState

MEANING: dict[OrderState, str] = {
    _S.DISPATCHING: "Approved, reserved, durable; it may leave once, before `send_by`.",
    _S.SENT: "Its one send was handed to the socket; the exchange has not spoken.",
    _S.OPEN: "The exchange has it; nothing of it is filled.",
    _S.AMENDING: "A change of it is on its way: the larger quantity counts until it is known.",
    _S.PARTIAL: "The exchange has it; a part of it is filled.",
    _S.PENDING_CANCEL: "A cancel was asked for; its exposure counts until the exchange confirms.",
    _S.FILLED: "Its fills add up to its quantity.",
    _S.CANCELED: "Over before it was complete; what was filled is booked.",
    _S.EXPIRED: "Over by its expiry or deadline; what was filled is booked.",
    _S.REJECTED: "The exchange refused it with a definitive error.",
    _S.VOID: "The gate kept it: it was never sent.",
    _S.UNKNOWN: "Sent, or perhaps sent, and nobody knows: reserved, looked for, never sent again.",
    _S.NOT_ACCEPTED: "No trace after deadline and lag margin: an inference, not a proof.",
}


class Change(msgspec.Struct, frozen=True):
    """One row of the table: from, to, what happened, and the fault where it looks wrong."""

    old: OrderState
    new: OrderState
    meaning: str
    ugly: str = ""


def _rows(
    old: OrderState, *rows: tuple[OrderState, str] | tuple[OrderState, str, str]
) -> Iterable[Change]:
    return [Change(old, *row) for row in rows]


CHANGES: tuple[Change, ...] = (
    *_rows(
        _S.DISPATCHING,
        (_S.SENT, "The gate let it go."),
        (_S.VOID, "The gate kept it: too late, halted, no lock, no connection."),
        (_S.UNKNOWN, "A restart found it: it may have left or not.", "P01"),
        (_S.OPEN, "A report overtook our own word of the send.", "X04"),
        (_S.PARTIAL, "A fill overtook our own word of the send.", "X04"),
        (_S.FILLED, "The whole fill overtook our own word of the send.", "X04"),
        (_S.CANCELED, "An IOC without a match overtook our own word of the send.", "X04"),
        (_S.EXPIRED, "It expired before our own word of the send.", "X04"),
        (_S.REJECTED, "The refusal overtook our own word of the send.", "X04"),
    ),
    *_rows(
        _S.SENT,
        (_S.UNKNOWN, "No reply by deadline and margin, a lost socket, or an unclear error."),
        (_S.REJECTED, "A definitive error: nothing was made."),
        (_S.OPEN, "Acknowledged, or reported as new."),
        (_S.PARTIAL, "A fill before the acknowledgement.", "X04"),
        (_S.FILLED, "The whole fill before the acknowledgement.", "X04"),
        (_S.CANCELED, "An IOC whose rest found no match, before the acknowledgement.", "X04"),
        (_S.EXPIRED, "It expired before the acknowledgement.", "X04"),
    ),
    *_rows(
        _S.OPEN,
        (_S.PARTIAL, "A first fill."),
        (_S.FILLED, "Its fills add up."),
        (_S.CANCELED, "The exchange, its user or the dead man's switch cancelled it.", "X29 X30"),
        (_S.EXPIRED, "Its expire time came."),
        (_S.PENDING_CANCEL, "We asked to cancel it."),
        (_S.AMENDING, "We asked to change it."),
        (_S.REJECTED, "Post-only, reported as new and then refused.", "X24"),
    ),
    *_rows(
        _S.AMENDING,
        (_S.OPEN, "Changed, or the change was refused: a report or a look tells which."),
        (_S.PARTIAL, "As before, with fills."),
        (_S.FILLED, "Filled while the change was on its way.", "X31"),
        (_S.CANCELED, "Cancelled while the change was on its way.", "X31"),
        (_S.EXPIRED, "Expired while the change was on its way.", "X31"),
        (_S.PENDING_CANCEL, "The kill switch does not wait for a change.", "X31"),
    ),
    *_rows(
        _S.PARTIAL,
        (_S.FILLED, "Its fills add up."),
        (_S.CANCELED, "The rest was cancelled; its fills stay.", "X25"),
        (_S.EXPIRED, "The rest expired; its fills stay.", "X25"),
        (_S.PENDING_CANCEL, "We asked to cancel the rest."),
        (_S.AMENDING, "We asked to change it."),
    ),
    *_rows(
        _S.PENDING_CANCEL,
        (_S.CANCELED, "The cancel was done."),
        (_S.FILLED, "Filled while it was being cancelled: the cancel came too late.", "X25"),
        (_S.EXPIRED, "It expired before the cancel came."),
        (_S.OPEN, "The cancel was refused or lost: it still rests, also after cancel_all.", "X22"),
        (_S.PARTIAL, "As above, with fills; also one recovered after a restart.", "P01"),
        (_S.REJECTED, "The refusal of the order came after we asked to cancel it.", "X24"),
    ),
    *_rows(
        _S.UNKNOWN,
        (_S.OPEN, "It landed: a report, a late reply or a look shows it.", "X01"),
        (_S.PARTIAL, "It landed and is filled in part.", "X01"),
        (_S.FILLED, "It landed and was filled before anyone heard of it.", "X10"),
        (_S.CANCELED, "It landed and is over.", "X10"),
        (_S.EXPIRED, "It landed and expired.", "X10"),
        (_S.REJECTED, "A definitive error came after our patience.", "X02"),
        (_S.NOT_ACCEPTED, "No trace in any list, in a look begun after deadline and lag margin."),
    ),
    *_rows(
        _S.NOT_ACCEPTED,
        (_S.OPEN, "Late evidence: it is there after all (booked, alerted, REDUCE).", "I-06"),
        (_S.PARTIAL, "Late evidence: a part of it was filled.", "I-06"),
        (_S.FILLED, "Late evidence: it was filled.", "I-06"),
        (_S.CANCELED, "Late evidence: it was there and is over.", "I-06"),
        (_S.EXPIRED, "Late evidence: it was there and expired.", "I-06"),
        (_S.REJECTED, "A definitive error came very late: the inference was right.", "X02"),
    ),
    *_rows(
        _S.REJECTED,
        (_S.OPEN, "A refusal that was none: a report of the order is the better proof.", "X03"),
        (_S.PARTIAL, "As above, with a fill.", "X03"),
        (_S.FILLED, "As above, filled.", "X03"),
        (_S.CANCELED, "As above, over.", "X03"),
        (_S.EXPIRED, "As above, expired.", "X03"),
    ),
    *_rows(
        _S.CANCELED,
        (_S.FILLED, "A fill that was told after the cancel completes it.", "X06"),
    ),
    *_rows(
        _S.EXPIRED,
        (_S.FILLED, "A fill that was told after the expiry completes it.", "X06"),
    ),
)

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    state: frozenset(change.new for change in CHANGES if change.old is state)
    for state in OrderState
}

TERMINAL = frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED, _S.VOID, _S.NOT_ACCEPTED})
UNRESOLVED = frozenset({_S.DISPATCHING, _S.SENT, _S.UNKNOWN})
# The exchange told us that it has it: a list of its open orders must show it.
RESTING = frozenset({_S.OPEN, _S.PARTIAL, _S.PENDING_CANCEL, _S.AMENDING})


def may_become(old: OrderState, new: OrderState) -> bool:
    """Whether the table allows `old` to become `new` (staying is always allowed)."""
    return old is new or new in TRANSITIONS[old]
