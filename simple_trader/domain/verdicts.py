"""Verdicts: the only two things that can become of an intent at the risk manager."""

from datetime import datetime

import msgspec

from simple_trader.domain.orders import Intent, OrderRequest
from simple_trader.domain.reasons import Reason


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewed order, bound to its exact parameters; built in `core/risk/risk_manager.py` only
    (I-20).

    Single use: it may be sent once, before `send_by` (approval + 2 s, transport time at the gate).
    """

    intent: Intent
    request: OrderRequest
    params_hash: str
    approved_at: datetime
    send_by: datetime


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An intent that may not trade, with exactly one reason and the numbers behind it."""

    intent: Intent
    reason: Reason
    detail: str


Verdict = Approved | Refused
