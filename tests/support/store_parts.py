"""The rows of a cycle: what was shown and asked, predicted, decided, ordered, filled, booked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.risk.risk_manager import params_hash
from simple_trader.domain import records as r
from simple_trader.domain.fills import Fee, Fill, LedgerEntry, Lot
from simple_trader.domain.instruments import PairRules, PairStatus
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, OrderRequest, OrderType, Origin, Side, TimeInForce
from simple_trader.domain.predictions import HorizonView, PendingPrediction
from simple_trader.domain.reasons import Reason
from simple_trader.domain.shown import OutsideText, ShownLimits

AT = datetime(2013, 10, 6, 21, 30, tzinfo=UTC)
RISK = RiskMemory(
    halted=False,
    loss_day=AT.replace(hour=0, minute=0),
    day_start_equity=Decimal("1000.00"),
    net_flows_today=Decimal("0.10"),
    candle_guard={"BTC/USD buy": AT},
)
PAIR = PairRules(
    pair="BTC/USD",
    base="BTC",
    quote="USD",
    rest_id="XXBTZUSD",
    altname="XBTUSD",
    price_increment=Decimal("0.1"),
    price_precision=1,
    qty_increment=Decimal("0.00000001"),
    qty_precision=8,
    qty_min=Decimal("0.0001"),
    cost_min=Decimal("0.5"),
    cost_precision=5,
    status=PairStatus.ONLINE,
)
LIMITS = ShownLimits(
    min_confidence=0.7,
    max_risk_level="medium",
    min_expected_move_pct=0.02,
    max_asset_exposure=0.3,
    max_total_exposure=0.8,
    interval_s=900,
)
ROOM = Decimal(1_000_000)  # what all purchases together may reserve


def moment(number: int) -> datetime:
    """The market time of step `number`."""
    return AT + timedelta(seconds=number)


def order(number: int, state: OrderState = OrderState.DISPATCHING, **changed: object) -> Order:
    """The order of cycle `number`: a purchase of 0.01 BTC."""
    at = moment(number)
    request = OrderRequest(
        cl_ord_id=f"stx-{number}",
        pair="BTC/USD",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        qty=Decimal("0.01000000"),
        limit_price=Decimal("132.5"),
        time_in_force=TimeInForce.IOC,
        post_only=False,
        expire_at=None,
        deadline=at + timedelta(seconds=5),
    )
    plain = Order(
        request=request,
        origin=Origin.AI,
        owner="ai",
        decision_id=f"d{number}",
        reason=Reason.BIAS_BUY,
        state=state,
        approved_at=at,
        send_by=at + timedelta(seconds=2),
        params_hash=params_hash(request),
        config_hash="h",
        notional=Decimal("1.325"),
        reserved=Decimal("1.3303"),
        changed_at=at,
    )
    made = msgspec.structs.replace(plain, **changed)
    if "params_hash" in changed:
        return made
    return msgspec.structs.replace(made, params_hash=params_hash(made.request))


def fill(number: int, side: Side = Side.BUY) -> Fill:
    """The fill of that order."""
    return Fill(
        exec_id=f"T{number}-{side}",
        trade_id=2 * number + (side is Side.SELL),
        order_id=f"O{number}",
        cl_ord_id=f"stx-{number}",
        pair="BTC/USD",
        side=side,
        price=Decimal("132.40"),
        qty=Decimal("0.01000000"),
        cost=Decimal("1.32400"),
        fees=(Fee("USD", Decimal("0.00530")),),
        liquidity="taker",
        venue_at=moment(number),
        owner="ai",
        origin=Origin.AI,
        decision_id=f"d{number}",
    )


def lot(number: int, left: str = "0.01000000") -> Lot:
    """The lot of that fill."""
    one = fill(number)
    return Lot(
        lot_id=f"L{number}",
        owner="ai",
        pair="BTC/USD",
        base="BTC",
        quote="USD",
        opened_exec_id=one.exec_id,
        opened_at=one.venue_at,
        qty=one.qty,
        left_qty=Decimal(left),
        price=one.price,
        cost=one.cost + Decimal("0.00530"),
        closed_at=None if Decimal(left) else moment(number) + timedelta(seconds=30),
    )


def prediction(number: int) -> PendingPrediction:
    """The prediction of cycle `number`."""
    return PendingPrediction(
        prediction_id=f"p{number}",
        pair="BTC/USD",
        cycle_id=f"c{number}",
        made_at=moment(number),
        due_at=moment(number + 900),
        horizon_cycles=1,
        horizon_s=900,
        snapshot_id=f"s{number}",
        probability=0.625,
        base_rate=0.5,
        model_id="m0",
        mid=Decimal("132.45"),
    )


def asked(number: int) -> tuple[r.LedgerRecord, ...]:
    """Snapshot, call and prediction of cycle `number`; the reply holds what Postgres refuses."""
    at = moment(number)
    return (
        r.SnapshotRow(
            snapshot_id=f"s{number}",
            cycle_id=f"c{number}",
            pair="BTC/USD",
            as_of=at,
            newest_event_at=at,
            mid=Decimal("132.45"),
            bid=Decimal("132.40"),
            ask=Decimal("132.50"),
            spread_bps=7.55,
            features={"rsi_14": 55.5, "sma_50": None},
            feature_times={"2013-10-06T21:30:00.000000Z": ("rsi_14",)},
            balances={"cash": "0.990000", "BTC/USD": "0.010000"},
            unrealised_pct=-1.5,
            tradable=True,
            cost_pct=Decimal("0.8755"),
            limits=LIMITS,
            probabilities=(HorizonView(horizon_s=900, probability=0.625),),
            texts=(OutsideText(source="the advisor", text='say "yes" € 1'),),
            config_hash="h",
        ),
        r.LlmCallRow(
            call_id=f"q{number}",
            cycle_id=f"c{number}",
            asked_at=at,
            answered_at=at,
            provider="sandbox",
            model="stand-in",
            advisor_label="stand-in advisor, not an LLM",
            prompt_hash="a",
            template_hash="b",
            prompt="What now?",
            reply='{"action": "buy"}\x00 \ud800 €',
            kind="content",
            finish_reason="stop",
            tokens_in=10,
            tokens_out=5,
            latency_ms=3,
            error="",
            reason=None,
        ),
        r.PredictionRow(prediction=prediction(number)),
    )


def decided(number: int, verdict: str = "approved") -> r.DecisionRow:
    """The decision of cycle `number`."""
    approved = verdict == "approved"
    return r.DecisionRow(
        decision_id=f"d{number}",
        cycle_id=f"c{number}",
        pair="BTC/USD",
        snapshot_id=f"s{number}",
        call_id=f"q{number}",
        decided_at=moment(number),
        action="hold" if verdict == "hold" else "buy",
        confidence=0.8,
        risk_level="low",
        rationale="because",
        verdict=verdict,
        reason=Reason.TRADED if approved else Reason.NO_FUNDS,
        detail="",
        cl_ord_id=f"stx-{number}" if approved else None,
        config_hash="h",
    )


def booked(number: int) -> tuple[r.LedgerRecord, ...]:
    """All rows of one execution report: inbox, trade, lot, order, balance, ledger, risk."""
    at = moment(number)
    one = fill(number)
    done = order(
        number,
        OrderState.FILLED,
        order_id=f"O{number}",
        filled_qty=one.qty,
        filled_cost=one.cost,
        fees_quote=Decimal("0.00530"),
        state_reason=Reason.FILLED,
    )
    held = one.qty * number
    return (
        r.ExecutionRow(
            exec_id=one.exec_id,
            order_id=one.order_id,
            cl_ord_id=one.cl_ord_id,
            exec_type="trade",
            order_status="filled",
            source="ws",
            venue_at=at,
            raw='{"qty": 0.01}',
        ),
        r.TradeRow(fill=one, realised_pnl=Decimal(0)),
        r.LotRow(lot=lot(number)),
        r.OrderStateRow(order=done),
        r.BalanceRow(asset="BTC", balance=held, at=at, cause="trade"),
        r.LedgerRow(
            entry=LedgerEntry(
                ledger_id=f"K{number}",
                ref_id=one.exec_id,
                at=at,
                kind="trade",
                asset="BTC",
                amount=one.qty,
                fee=Decimal(0),
                balance=held,
            )
        ),
        r.RiskRow(state="RUN", reasons=(Reason.RECONCILED,), memory=RISK, equity=None, at=at),
    )
