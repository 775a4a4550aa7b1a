"""What the exchange proved by its reply to a request that is no new order, typed.

Each request ends in one of: acknowledged, refused (nothing was changed), unknown (it may have been
done: look before anything else). Source: protocol sections 2.3, 8.1, 8.2 and 8.6.
"""

from datetime import datetime

import msgspec


class AmendAcked(msgspec.Struct, frozen=True, kw_only=True):
    """The order was changed; an `amended` execution follows or came before."""

    cl_ord_id: str
    amend_id: str


class AmendRejected(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing was changed; `sent` is false where the request never left."""

    cl_ord_id: str
    error: str
    sent: bool = True


class AmendUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """The order may have been changed: the executions or a look show it; never sent again (X31)."""

    cl_ord_id: str
    detail: str


class SwitchArmed(msgspec.Struct, frozen=True, kw_only=True):
    """The dead man's switch stands at `trigger_at`; None: it is disarmed, or no moment was named.

    Both moments are the exchange's, whole seconds.
    """

    current_at: datetime | None
    trigger_at: datetime | None


class SwitchRejected(msgspec.Struct, frozen=True, kw_only=True):
    """The switch is as it was before."""

    error: str


class SwitchUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """The switch may or may not have been set: set it again, which is safe."""

    detail: str


class OrderChecked(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange would take the order; none was made (`validate`)."""

    cl_ord_id: str


class CheckUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange did not say whether it would take the order; none was made."""

    cl_ord_id: str
    detail: str


AmendOutcome = AmendAcked | AmendRejected | AmendUnknown
SwitchOutcome = SwitchArmed | SwitchRejected | SwitchUnknown
