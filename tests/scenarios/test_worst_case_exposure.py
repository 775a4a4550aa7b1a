"""Worst-case exposure stays within its caps under every interleaving of producers and news (I-18).

Seeded dice play the producers (several owners on two pairs, through the one judge), the exchange
(sent, acknowledged, filled in parts, cancelled, refused, lost) and the account. The worst case is
added up by the test itself, from the orders and fills it made, not by the code that is tested.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random

import msgspec
import pytest
from brain_case import intent
from brain_desk import BTC, ETH, D, Desk, settings
from brain_reports import ledger, report, traded

from simple_trader.core.reactions.trade import judge_intent
from simple_trader.domain import events as e
from simple_trader.domain.fills import Fee, Fill
from simple_trader.domain.instruments import base_of
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import OrderRequest, Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import IntentRow
from simple_trader.domain.verdicts import Approved

TAKER = D("0.004")
PRICES = {BTC: D(50_000), ETH: D(2_000)}
ENDED = ("canceled", "filled", "rejected", "void", "not_accepted")
LIMITS = settings(max_asset_exposure=D("0.35"), max_total_exposure=D("0.6"))


class Ours(msgspec.Struct):
    """An order as the exchange of this test knows it."""

    request: OrderRequest
    state: str = "made"
    filled: Decimal = D(0)


class Producers:
    """Any order of wishes, answers, reports and looks."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.approved = 0
        self.desk = Desk()
        self.desk.open(settings=LIMITS)
        self.orders: list[Ours] = []
        self.fills = 0
        self.held = {BTC: D(0), ETH: D(0)}
        self.cash = D(1000)

    # -- producers

    def wish(self) -> None:
        pick = self.dice.choice
        pair, owner = pick([BTC, ETH]), pick(["ai", "grid", "dca"])
        value, slip = pick([11, 20, 50, 100, 150, 340]), pick(range(10))
        path = pick(["", "s", "so", "soh", "sl", "slo"])
        state = self.desk.engine.state
        self.desk.at += timedelta(seconds=1)
        self.desk.quotes()
        mid = PRICES[pair]
        price = mid + slip * mid / 10_000
        asked = intent(
            pair=pair,
            owner=owner,
            price=price,
            mid=mid,
            qty=(D(value) / price).quantize(D("1E-8")),
            protective=True,  # no candle guard: only exposure holds them back
            reason=Reason.BIAS_BUY,
        )
        room_total = D("0.6") * self.equity() - self.worst()
        room_asset = D("0.35") * self.equity() - self.worst(base_of(pair))
        verdict, actions = judge_intent(state, asked, self.desk.at, "c" * 64)
        if isinstance(verdict, Approved):
            cost = asked.qty * price * (1 + TAKER)
            assert cost <= room_total
            assert cost <= room_asset
            row = next(a.record for a in actions if isinstance(getattr(a, "record", 0), IntentRow))
            others = sum((self.reserved(o) for o in self.live()), D(0))
            assert row.order.reserved == cost
            assert others + cost <= row.cap_total
            self.approved += 1
            self.orders.append(Ours(verdict.request))
            steps = {"s": self._sent, "o": self._opened, "l": self._lost}
            for step in path:
                if step == "h":
                    self.halted_and_resumed()
                else:
                    steps[step](self.orders[-1])

    # -- the exchange

    def _sent(self, one: Ours) -> None:
        self.desk.do(e.OrderSent(cl_ord_id=one.request.cl_ord_id))
        one.state = "sent"

    def _lost(self, one: Ours) -> None:
        self.desk.do(e.SendUnknown(cl_ord_id=one.request.cl_ord_id, detail="lost"))
        one.state = "unknown"

    def _opened(self, one: Ours) -> None:
        name = one.request.cl_ord_id
        self.desk.do(report("new", cl_ord_id=name, at=self.desk.at, order_id=f"O-{name}"))
        one.state = "open"

    def live(self) -> list[Ours]:
        return [o for o in self.orders if o.state not in ENDED]

    def pick(self, *states: str) -> Ours | None:
        found = [o for o in self.live() if o.state in states or not states]
        return self.dice.choice(found) if found else None

    def sent(self) -> None:
        one = self.pick("made")
        if one is not None:
            self._sent(one)

    def not_sent(self) -> None:
        one = self.pick("made")
        if one is not None:
            name = one.request.cl_ord_id
            self.desk.do(e.NotSent(cl_ord_id=name, reason=Reason.LOCK_LOST, detail=""))
            one.state = "void"

    def lost(self) -> None:
        one = self.pick("sent")
        if one is not None:
            self._lost(one)

    def opened(self) -> None:
        one = self.pick("sent", "unknown")
        if one is not None:
            self._opened(one)

    def refused(self) -> None:
        one = self.pick("sent")
        if one is not None and one.filled == 0:
            self.desk.do(e.OrderRejected(cl_ord_id=one.request.cl_ord_id, error="EOrder:No"))
            one.state = "rejected"

    def halted_and_resumed(self) -> None:
        self.desk.do(e.OperatorHalt(actor="me", detail=""))  # marks what rests PENDING_CANCEL
        self.desk.do(e.OperatorResume(actor="me", detail=""))

    def cancelled(self) -> None:
        one = self.pick("open")
        if one is not None:
            name = one.request.cl_ord_id
            self.desk.do(
                report(
                    "canceled",
                    cl_ord_id=name,
                    at=self.desk.at,
                    order_id=f"O-{name}",
                    cum_qty=one.filled,
                )
            )
            one.state = "canceled"

    def filled(self) -> None:
        part = self.dice.choice([D("0.01"), D("0.02"), D("0.05"), D(1)])
        one = self.pick("sent", "unknown", "open")
        if one is None:
            return
        request, left = one.request, one.request.qty - one.filled
        qty = (left * part).quantize(D("1E-8"))
        if not 0 < qty <= left:
            return
        self.fills += 1
        cost = qty * (request.limit_price or D(0))
        fill = Fill(
            exec_id=f"E{self.fills}",
            trade_id=self.fills,
            order_id=f"O-{request.cl_ord_id}",
            cl_ord_id=request.cl_ord_id,
            pair=request.pair,
            side=Side.BUY,
            price=request.limit_price or D(0),
            qty=qty,
            cost=cost,
            fees=(Fee("USD", cost * TAKER),),
            liquidity="taker",
            venue_at=self.desk.at,
        )
        self.desk.do(traded(fill, self.desk.at))
        one.filled += qty
        one.state = "filled" if one.filled == request.qty else "open"
        self.held[request.pair] += qty
        self.cash -= cost * (1 + TAKER)
        base, name = base_of(request.pair), fill.exec_id
        for asset, amount, fee, now in (
            (base, qty, D(0), self.held[request.pair]),
            ("USD", -cost, cost * TAKER, self.cash),
        ):
            entry = ledger(
                f"{name}-{asset}",
                asset,
                str(amount),
                str(now),
                self.desk.at,
                ref_id=name,
                kind="trade",
                fee=str(fee),
            )
            self.desk.do(e.LedgerSeen(entry=entry))

    def balances(self) -> None:
        totals = {"USD": self.cash, "BTC": self.held[BTC], "ETH": self.held[ETH]}
        self.desk.do(e.BalancesSeen(balances=totals, source="ws"))
        self.desk.reconciled(tuple(o.request.cl_ord_id for o in self.live()))

    def restart(self) -> None:
        engine = self.desk.engine
        self.desk.engine = type(engine).restore(engine.snapshot())

    # -- the worst case, by the test's own figures

    def reserved(self, one: Ours) -> Decimal:
        left = one.request.qty - one.filled
        return left * (one.request.limit_price or D(0)) * (1 + TAKER)

    def worst(self, asset: str = "") -> Decimal:
        chosen = [pair for pair in PRICES if not asset or base_of(pair) == asset]
        held = sum((self.held[pair] * PRICES[pair] for pair in chosen), D(0))
        return held + sum((self.reserved(o) for o in self.live() if o.request.pair in chosen), D(0))

    def equity(self) -> Decimal:
        return self.cash + sum((self.held[pair] * PRICES[pair] for pair in PRICES), D(0))

    def every_live_order_counts(self) -> None:
        """Nothing that may still fill is forgotten: the brain's live orders are the test's."""
        known = {o.cl_ord_id: o for o in self.desk.engine.state.orders.live()}
        for one in self.live():
            order = known[one.request.cl_ord_id]
            assert order.left_qty == one.request.qty - one.filled
        ended = {o.request.cl_ord_id for o in self.orders} - {
            o.request.cl_ord_id for o in self.live()
        }
        assert not ended & {
            name for name, o in known.items() if o.state is not OrderState.PENDING_CANCEL
        }

    def exposure_never_grows_above_what_was_approved(self) -> None:
        # Prices stand still here: equity only falls, by fees and slippage.
        assert self.worst() <= D("0.6") * D(1000)
        for pair in PRICES:
            assert self.worst(base_of(pair)) <= D("0.35") * D(1000)


@pytest.mark.parametrize("seed", range(12))
def test_i_18_no_interleaving_of_producers_passes_a_cap(seed: int) -> None:
    world = Producers(seed)
    steps: list[Callable[[], None]] = [
        world.sent,
        world.not_sent,
        world.lost,
        world.opened,
        world.refused,
        world.halted_and_resumed,
        world.cancelled,
        world.cancelled,
        world.opened,
        world.filled,
        world.balances,
        world.restart,
    ]
    for _ in range(300):
        world.dice.choice([world.wish, world.wish, world.wish, *steps])()
        world.every_live_order_counts()
        world.exposure_never_grows_above_what_was_approved()
    assert world.approved > 15
