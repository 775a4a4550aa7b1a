"""Planted bugs of the order path: intents, sends, replies, states, the gate and the kill switch."""

import json
from datetime import timedelta
from decimal import Decimal

from planted.patching import TIGHT, Bug, Make, always, gives, without_check

_CORE = "simple_trader.core"
_GATE = "simple_trader.runtime.gate"
MUCH = Decimal(10) ** 9


def _place_twice(place):
    """A second send of the same bytes where the first got no answer."""

    async def bug(self, request, wire):
        answer = await place(self, request, wire)
        if type(answer).__name__ == "SendUnknown":
            return await place(self, request, wire)
        return answer

    return bug


def _send_at_once(hold):
    def bug(self, seq, action):
        if type(action).__name__ == "PlaceOrder":
            self.now(action)
        else:
            hold(self, seq, action)

    return bug


def _bell_before_commit(commit):
    """The lane calls a batch durable when it begins to write it."""

    async def bug(self):
        batches = self._take()
        self._on_commit(batches[-1].seq)
        await commit(self)

    return bug


def _without_intent_row(reserve):
    def bug(*args):
        return [
            action
            for action in reserve(*args)
            if type(getattr(action, "record", None)).__name__ != "IntentRow"
        ]

    return bug


def _without_caps(reserve):
    """The database, the second line, is not told how much may be reserved."""

    def bug(*args):
        import msgspec

        change = msgspec.structs.replace
        return [
            change(action, record=change(action.record, cap_asset=MUCH, cap_total=MUCH))
            if type(getattr(action, "record", None)).__name__ == "IntentRow"
            else action
            for action in reserve(*args)
        ]

    return bug


def _unknown_is_rejected(on_send_unknown):
    def bug(state, event, at):
        from simple_trader.core.reactions.on_reply import on_rejected
        from simple_trader.domain.events import OrderRejected

        return on_rejected(state, OrderRejected(cl_ord_id=event.cl_ord_id, error="timeout"), at)

    return bug


def _every_error_is_a_reject(placed):
    def bug(cl_ord_id, reply):
        from simple_trader.domain.events import OrderRejected

        answer = placed(cl_ord_id, reply)
        if type(answer).__name__ == "SendUnknown":
            return OrderRejected(cl_ord_id=cl_ord_id, error=answer.detail)
        return answer

    return bug


def _live_without(*states: str) -> Make:
    def make(live):
        def bug(self):
            return [order for order in live(self) if order.state.value not in states]

        return bug

    return make


def _no_way_back(transitions):
    """Ends are ends: evidence that comes later is not followed."""
    ends = ("NOT_ACCEPTED", "REJECTED", "CANCELED", "EXPIRED")
    return {
        state: frozenset() if state.value in ends else after for state, after in transitions.items()
    }


def _ignores_late_fills(fill):
    def bug(self, order, new, at):
        if order.state.value in ("NOT_ACCEPTED", "REJECTED", "CANCELED", "EXPIRED"):
            return order
        return fill(self, order, new, at)

    return bug


def _ends_without_fills(end):
    """An order is over by the word, whatever quantity is missing."""

    def bug(self, order, closing, at):
        return self.move(order, closing.state, at, reason=closing.reason, detail=closing.detail)

    return bug


def _without_deadline(order_frame):
    def bug(wire, token, req_id):
        frame = json.loads(order_frame(wire, token, req_id))
        del frame["params"]["deadline"]
        return json.dumps(frame)

    return bug


def _other_quantity(order_frame):
    """The bytes differ from what was approved, behind the audit."""

    def bug(wire, token, req_id):
        return order_frame(wire, token, req_id).replace('"order_qty":', '"order_qty":1')

    return bug


def _long_deadline(request_of):
    def bug(*args):
        import msgspec

        request = request_of(*args)
        return msgspec.structs.replace(request, deadline=request.deadline + timedelta(seconds=40))

    return bug


def _late_is_fine(reason):
    """Neither the age of an approval nor a pause of the process keeps an order back."""

    def bug(self, approved, received_at, wire):
        found = reason(self, approved, self._clock.monotonic(), wire)
        return None if found in ("loop_stalled", "approval_expired") else found

    return bug


def _cancels_everything(reconcile):
    """After each look at the account, everything on it is cancelled for good measure."""

    async def bug(self, action):
        await self.cancel_all()
        return await reconcile(self, action)

    return bug


def _never_halted(reason):
    def bug(self, approved, received_at, wire):
        found = reason(self, approved, received_at, wire)
        name = getattr(found, "value", found)
        return None if str(name) in ("trading_halted", "reduce_only") else found

    return bug


def _rests(intent):
    """A world in which entries rest below the market for a while."""

    def bug(wished, sized, price, quote):
        import msgspec

        from simple_trader.domain.orders import TimeInForce

        made = intent(wished, sized, price, quote)
        if made.side.value != "buy":
            return made
        return msgspec.structs.replace(made, price=quote.bid, time_in_force=TimeInForce.GTD)

    return bug


RESTING = ((f"{_CORE}.reactions.decide:_intent", _rests),)


def _cancel_is_done(move):
    """A cancel that was asked for counts as done."""

    def bug(self, order, state, at, **more):
        from simple_trader.domain.order_states import OrderState

        if state is OrderState.PENDING_CANCEL:
            state = OrderState.CANCELED
        return move(self, order, state, at, **more)

    return bug


BUGS = (
    Bug(
        "skip-intent-commit",
        "the order leaves before its intent is committed",
        (("simple_trader.runtime.dispatcher:Dispatcher.hold", _send_at_once),),
        ("I-01", "I-03"),
    ),
    Bug(
        "bell-before-commit",
        "the ledger lane reports a batch as durable before it writes it",
        (("simple_trader.adapters.store.ledger_lane:LedgerLane._commit", _bell_before_commit),),
        ("I-01", "I-03"),
    ),
    Bug(
        "no-intent-row",
        "an approved order has no row of its own",
        ((f"{_CORE}.reactions.trade:_reserve", _without_intent_row),),
        ("I-01", "END", "I-04"),
    ),
    Bug(
        "resend-on-timeout",
        "an order without an answer is sent again",
        (("simple_trader.adapters.kraken.order_desk:OrderDesk.place", _place_twice),),
        ("I-02",),
        plan=((3, "X01 count=3"),),
    ),
    Bug(
        "unknown-is-rejected",
        "an order of unknown outcome is taken as refused",
        ((f"{_CORE}.reactions.on_reply:on_send_unknown", _unknown_is_rejected),),
        ("I-06", "I-04", "I-05"),
        plan=((3, "X10 count=3"),),
    ),
    Bug(
        "every-error-is-a-reject",
        "an answer that proves nothing (5xx, unavailable) is taken as a refusal",
        (("simple_trader.adapters.kraken.order_desk:_placed", _every_error_is_a_reject),),
        ("I-06", "I-04"),
        plan=((3, "S06 count=3"),),
    ),
    Bug(
        "not-accepted-too-early",
        "no trace right after the deadline is taken as never accepted",
        ((f"{_CORE}.portfolio.doubts:REST_LAG_S", always(0.0)),),
        ("I-05",),
        plan=((3, "X10 count=3"), (3, "X08 for_s=90")),
    ),
    Bug(
        "no-late-evidence",
        "what comes after an end of an order is not followed",
        (
            ("simple_trader.domain.order_states:TRANSITIONS", _no_way_back),
            (f"{_CORE}.portfolio.open_orders:OpenOrders.fill", _ignores_late_fills),
        ),
        ("I-04", "I-07", "END"),
        plan=((3, 'S06 count=3 text="EOrder:Insufficient funds"'),),
    ),
    Bug(
        "ended-by-its-word",
        "an order ends by a word while fills of it are missing",
        ((f"{_CORE}.portfolio.open_orders:OpenOrders.end", _ends_without_fills),),
        ("I-06", "I-07", "I-04", "END"),
        plan=((3, "N05 count=3 sequence=closed"),),
    ),
    Bug(
        "no-deadline",
        "orders go out without a deadline",
        (("simple_trader.adapters.kraken.requests:order_frame", _without_deadline),),
        ("I-10",),
    ),
    Bug(
        "long-deadline",
        "orders may be accepted for 45 seconds",
        ((f"{_CORE}.risk.risk_manager:request_of", _long_deadline),),
        ("I-10",),
    ),
    Bug(
        "other-bytes",
        "another quantity is sent than was approved",
        (("simple_trader.adapters.kraken.requests:order_frame", _other_quantity),),
        ("I-01",),
    ),
    Bug(
        "stale-approvals",
        "an approval never grows old",
        ((f"{_GATE}:Gate._reason", _late_is_fine),),
        ("I-20", "I-27"),
        plan=((3, "slow intent 3"),),
    ),
    Bug(
        "orders-after-halt",
        "neither gate nor checks look at HALT and REDUCE",
        (
            (f"{_GATE}:Gate._reason", _never_halted),
            without_check("not_halted"),
            without_check("not_reduce_only"),
        ),
        ("I-23", "I-28"),
        plan=((8, "halt 80"),),
    ),
    Bug(
        "cancels-everything",
        "each look at the account cancels all of it, other people's orders too",
        (("simple_trader.adapters.kraken.ws_manager:KrakenVenue.reconcile", _cancels_everything),),
        ("I-09",),
    ),
    Bug(
        "cancel-is-done",
        "an order whose cancel was asked for counts as canceled",
        ((f"{_CORE}.portfolio.open_orders:OpenOrders.move", _cancel_is_done),),
        ("I-08", "I-06"),
        plan=((8, "halt 20"),),
        world=RESTING,
    ),
    Bug(
        "ignores-pending-cancel",
        "orders being cancelled are left out of the exposure, in the database too",
        (
            (f"{_CORE}.portfolio.open_orders:OpenOrders.live", _live_without("PENDING_CANCEL")),
            (f"{_CORE}.reactions.trade:_reserve", _without_caps),
        ),
        ("I-18", "I-08", "I-04", "I-07"),
        plan=((40, "X02 count=1 method=cancel_all delay_s=40"), (59, "halt 2")),
        world=(*RESTING, *TIGHT),
    ),
    Bug(
        "ignores-unknown",
        "orders of unknown outcome are left out of exposure, holds and looks",
        (
            (
                f"{_CORE}.portfolio.open_orders:OpenOrders.live",
                _live_without("UNKNOWN", "SENT", "DISPATCHING"),
            ),
            (f"{_CORE}.portfolio.open_orders:OpenOrders.unresolved_on", gives(None)),
            (f"{_CORE}.reactions.trade:_reserve", _without_caps),
        ),
        ("I-18", "I-04"),
        plan=((3, "X10 count=3"), (3, "X08 for_s=90")),
        world=TIGHT,
    ),
)
