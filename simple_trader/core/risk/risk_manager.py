"""The one gate of the brain: an intent becomes Approved or Refused here and nowhere else (I-20)."""

from hashlib import sha256

import msgspec

from simple_trader.core.risk.case import Case
from simple_trader.core.risk.ceilings import ENTRY_LIFE_S, in_force
from simple_trader.core.risk.checks import first_objection
from simple_trader.domain.moments import floor_ms, floor_to, seconds
from simple_trader.domain.orders import Intent, OrderRequest, TimeInForce
from simple_trader.domain.verdicts import Approved, Refused

APPROVAL_LIFE_S = 2.0


def params_hash(request: OrderRequest) -> str:
    """SHA-256 of the encoded request: what the gate compares the bytes to be sent with."""
    return sha256(msgspec.json.encode(request)).hexdigest()


def review(case: Case, *, cl_ord_id: str) -> Approved | Refused:
    """Judge the case. Whoever gets Approved books it at once, before anything else is judged: check
    and reservation are one step (I-19). The compiled ceilings hold whatever the case says.
    """
    case = msgspec.structs.replace(case, settings=in_force(case.settings))
    objection = first_objection(case)
    if objection is not None:
        reason, detail = objection
        return Refused(intent=case.intent, reason=reason, detail=detail)
    request = request_of(case.intent, case, cl_ord_id)
    return Approved(
        intent=case.intent,
        request=request,
        params_hash=params_hash(request),
        approved_at=case.at,
        send_by=case.at + seconds(APPROVAL_LIFE_S),
    )


def request_of(intent: Intent, case: Case, cl_ord_id: str) -> OrderRequest:
    """What the exchange is asked for; every order carries a deadline, by its clock (X34), and what
    rests and protects nothing expires by itself, so that an orphan dies alone (I-10): in whole
    seconds, as the wire writes it.
    """
    now = case.at + seconds(case.venue_ahead_s)
    rests = intent.time_in_force is not TimeInForce.IOC and not intent.protective
    return OrderRequest(
        cl_ord_id=cl_ord_id,
        pair=intent.pair,
        side=intent.side,
        order_type=intent.order_type,
        qty=intent.qty,
        limit_price=intent.price,
        time_in_force=TimeInForce.GTD if rests else intent.time_in_force,
        post_only=intent.post_only,
        expire_at=floor_to(now + seconds(ENTRY_LIFE_S), 1) if rests else None,
        deadline=floor_ms(now + seconds(case.settings.order_deadline_s)),
    )
