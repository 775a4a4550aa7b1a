"""The one gate of the brain: an intent becomes Approved or Refused here and nowhere else (I-20)."""

from hashlib import sha256

import msgspec

from simple_trader.core.risk.checks import Case, first_objection
from simple_trader.domain.moments import floor_ms, seconds
from simple_trader.domain.orders import Intent, OrderRequest
from simple_trader.domain.verdicts import Approved, Refused

APPROVAL_LIFE_S = 2.0


def params_hash(request: OrderRequest) -> str:
    """SHA-256 of the encoded request: what the gate compares the bytes to be sent with."""
    return sha256(msgspec.json.encode(request)).hexdigest()


def review(case: Case, *, cl_ord_id: str) -> Approved | Refused:
    """Judge the case. Whoever gets Approved books it at once, before anything else is judged, so
    check and reservation are one step (I-19).
    """
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
    """What the exchange is asked for; every order carries a deadline (I-10)."""
    return OrderRequest(
        cl_ord_id=cl_ord_id,
        pair=intent.pair,
        side=intent.side,
        order_type=intent.order_type,
        qty=intent.qty,
        limit_price=intent.price,
        time_in_force=intent.time_in_force,
        post_only=intent.post_only,
        expire_at=None,
        deadline=floor_ms(case.at + seconds(case.settings.order_deadline_s)),
    )
