"""A desk for tests of the brain: settings, market and answers in a line, a real engine behind."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from answered import arrived
from brain_reports import fill_of, traded

from simple_trader.core.engine import Engine
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules, PairStatus
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import OrderRequest, Side
from simple_trader.domain.quotes import BookSummary, Candle, Quote
from simple_trader.domain.settings import TradingSettings

D = Decimal
T0 = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BTC, ETH = "BTC/USD", "ETH/USD"


def settings(**changes: Any) -> TradingSettings:
    """Settings of a small careful account, with changes."""
    values: dict[str, Any] = {
        "traded_pairs": (BTC, ETH),
        "may_place": True,
        "enable_aggregator": True,
        "aggregator_interval_s": 900,
        "quantity_of_price_history": 50,
        "advice_deadline_s": 60,
        "min_confidence": 0.7,
        "max_risk_level": "medium",
        "base_order": D(200),
        "risk_multiplier_low": D("1.0"),
        "risk_multiplier_medium": D("0.7"),
        "risk_multiplier_high": D("0.5"),
        "max_balance_fraction": D("0.95"),
        "min_order_value": D(10),
        "max_order_value": D(100_000),
        "max_order_qty": {},
        "max_open_orders": 40,
        "max_orders_per_minute": 42,
        "max_flips_per_day": 288,
        "max_notional_per_minute": D(500_000),
        "max_notional_per_hour": D(2_000_000),
        "max_notional_per_day": D(10_000_000),
        "max_pair_notional_per_minute": D(500_000),
        "max_pair_notional_per_hour": D(2_000_000),
        "max_pair_notional_per_day": D(10_000_000),
        "price_collar_bps": 2000,
        "max_drawdown": D("0.5"),
        "max_slippage_bps": 20,
        "max_quote_age_s": 10.0,
        "max_spread_bps": 50.0,
        "candle_minutes": 15,
        "max_asset_exposure": D("0.35"),
        "max_total_exposure": D("0.8"),
        "daily_loss_limit": D("0.05"),
        "order_deadline_s": 5.0,
        "stop_loss_percent": D(5),
        "take_profit_percent": D(10),
        "risk_manager_interval_s": 10,
        "enable_model": False,
        "model_horizons": (4,),
        "advice_reuse_s": 0,
        "shadows": (),
        "min_expected_move_pct": 0.02,
        "training_interval_s": 86_400,
        "model_lookback_days": 30,
        "min_training_rows": 100,
        "enable_private_feed": True,
        "enable_public_feed": True,
        "enable_order_book_feed": False,
    }
    return TradingSettings(**{**values, **changes})


def rules(pair: str, **changes: Any) -> PairRules:
    """Rules of a pair like Kraken's."""
    base, quote = pair.split("/")
    values: dict[str, Any] = {
        "pair": pair,
        "base": base,
        "quote": quote,
        "rest_id": f"X{base}Z{quote}",
        "altname": base + quote,
        "price_increment": D("0.1"),
        "price_precision": 1,
        "qty_increment": D("0.00000001"),
        "qty_precision": 8,
        "qty_min": D("0.0001"),
        "cost_min": D("0.5"),
        "cost_precision": 5,
        "status": PairStatus.ONLINE,
    }
    return PairRules(**{**values, **changes})


def quote(pair: str, bid: str, ask: str, at: datetime, venue_at: datetime | None = None) -> Quote:
    """A quote seen at a moment."""
    return Quote(
        pair=pair,
        bid=D(bid),
        ask=D(ask),
        bid_qty=D(1),
        ask_qty=D(1),
        last=D(bid),
        volume=D(100),
        vwap=D(bid),
        low=D(bid),
        high=D(ask),
        change_pct=D("0.5"),
        venue_at=venue_at,
        seen_at=at,
    )


def candle(pair: str, begin: datetime, close: str = "50000") -> Candle:
    """A flat one-minute candle."""
    price = D(close)
    return Candle(
        pair=pair,
        interval_s=60,
        begin=begin,
        open=price,
        high=price + 5,
        low=price - 5,
        close=price,
        volume=D(2),
        trades=3,
    )


def book(pair: str, at: datetime) -> BookSummary:
    """A verified book's summary."""
    return BookSummary(
        pair=pair,
        bid=D(49999),
        ask=D(50001),
        mid=D(50000),
        vwap_mid=D(50000),
        spread_bps=0.4,
        imbalance=0.1,
        depth=10,
        venue_at=at,
    )


def started(**changes: Any) -> e.Started:
    """A fresh start with 1000 USD."""
    values: dict[str, Any] = {
        "epoch": 100,
        "mode": "sim",
        "world": "sim-1",
        "settings": settings(),
        "config_hash": "c" * 64,
        "assets": (
            AssetRules(
                asset="USD",
                rest_id="ZUSD",
                altname="USD",
                precision=4,
                display_precision=2,
                status="enabled",
            ),
        ),
        "pairs": (rules(BTC), rules(ETH)),
        "fees": tuple(FeeRates(pair=p, maker=D("0.0025"), taker=D("0.004")) for p in (BTC, ETH)),
        "orders": (),
        "lots": (),
        "fills": (),
        "seen_exec_ids": (),
        "balances": {"USD": D(1000)},
        "risk": RiskMemory(),
        "candles": (),
    }
    return e.Started(**{**values, **changes})


def advice_text(*decisions: dict[str, Any]) -> str:
    """The advisor's words for these decisions."""
    body = {"decisions": list(decisions), "rationale": "test", "confidence": 0.9}
    return msgspec.json.encode(body).decode()


def say(pair: str, action: str, confidence: float = 0.9, risk: str = "low") -> dict[str, Any]:
    """One decision in the advisor's words."""
    return {
        "pair": pair,
        "action": action,
        "confidence": confidence,
        "risk_level": risk,
        "rationale": "because",
    }


class Desk:
    """An engine with a running market clock; `log` keeps every stamped event and its actions."""

    def __init__(self, at: datetime = T0) -> None:
        """A desk at a moment, nothing processed yet."""
        self.engine = Engine()
        self.at = at
        self.seq = 0
        self.log: list[tuple[e.Stamped, list[a.Action]]] = []

    def do(self, event: e.Event, *, after_s: float = 0.0) -> list[a.Action]:
        """Process an event, `after_s` market seconds later."""
        self.at += timedelta(seconds=after_s)
        self.seq += 1
        stamped = e.Stamped(self.seq, self.at, event)
        actions = self.engine.process(stamped)
        self.log.append((stamped, actions))
        return actions

    def start(self, **changes: Any) -> list[a.Action]:
        """Start only."""
        return self.do(started(**changes))

    def open(self, **changes: Any) -> None:
        """Start, connect, reconcile and see prices: trading state RUN."""
        self.start(**changes)
        self.do(e.FeedUp(feed="public"))
        self.do(e.FeedUp(feed="private"))
        self.reconciled()
        self.quotes(seen_s_ago=60)
        self.quotes()

    def reconciled(self, open_ids: tuple[str, ...] = (), *, clean: bool = True) -> list[a.Action]:
        """A look at the account that began now."""
        return self.do(
            e.Reconciled(
                open_cl_ord_ids=open_ids,
                foreign_open_orders=0,
                looked_from=self.at,
                clean=clean,
                detail="",
            )
        )

    def calm(self) -> list[a.Action]:
        """Thirty seconds without trouble, and the risk check that the brain asked for then."""
        self.at += timedelta(seconds=30)
        return self.timer("risk_check")

    def quotes(self, btc: str = "50000", eth: str = "2000", seen_s_ago: float = 0) -> None:
        """Fresh quotes of both pairs, a small spread around these prices."""
        seen_at = self.at - timedelta(seconds=seen_s_ago)
        for pair, price in ((BTC, btc), (ETH, eth)):
            bid, ask = D(price) - D("0.5"), D(price) + D("0.5")
            self.do(e.QuoteSeen(quote=quote(pair, str(bid), str(ask), seen_at)))

    def timer(self, name: str) -> list[a.Action]:
        """Fire a timer now."""
        return self.do(e.TimerFired(name=name, due=self.at))

    def ask(self) -> a.AskAdvice:
        """Begin a cycle and give the question to the advisor (no model)."""
        return only(self.timer("aggregate"), a.AskAdvice)

    def answer(self, asked: a.AskAdvice, raw: str, finish_reason: str = "stop") -> list[a.Action]:
        """Answer a question with raw text."""
        return self.do(arrived(asked.question.question_id, raw, finish_reason=finish_reason))

    def advise(self, *decisions: dict[str, Any]) -> list[a.Action]:
        """A whole cycle with this advice."""
        return self.answer(self.ask(), advice_text(*decisions))

    def place(self, pair: str = BTC, side: str = "buy", confidence: float = 0.9) -> OrderRequest:
        """A cycle that must end in one order, sent and acknowledged; returns its request."""
        others = [say(p, "hold") for p in (BTC, ETH) if p != pair]
        actions = self.advise(say(pair, side, confidence), *others)
        request = only(actions, a.PlaceOrder).approved.request
        self.do(e.OrderSent(cl_ord_id=request.cl_ord_id))
        return request

    def fill(self, order: OrderRequest, exec_id: str, **changes: Any) -> list[a.Action]:
        """Fill an order (or a part of it)."""
        return self.do(traded(fill_of(order, exec_id, self.at, **changes), self.at))

    def settle(self) -> list[a.Action]:
        """A balances snapshot that holds every fill so far."""
        expected = self.engine.state.balances.all_expected()
        return self.do(e.BalancesSeen(balances=expected, source="ws"))

    def hold(self, pair: str = BTC, exec_id: str = "E0") -> OrderRequest:
        """Buy, be filled at the limit and see the balances; returns the request."""
        request = self.place(pair)
        self.fill(request, exec_id)
        self.settle()
        return request

    def next_candle(self) -> None:
        """Go to the next entry candle and refresh the prices there."""
        self.at += timedelta(minutes=15)
        self.quotes()


def only(actions: Iterable[a.Action], kind: type) -> Any:
    """The one action of a kind; fails where there is none or more."""
    found = [action for action in actions if isinstance(action, kind)]
    assert len(found) == 1, f"{len(found)} {kind.__name__} in {found}"
    return found[0]


def records(actions: Iterable[a.Action], kind: type) -> list[Any]:
    """Records of a kind among the actions."""
    return [
        action.record
        for action in actions
        if isinstance(action, a.Remember) and isinstance(action.record, kind)
    ]


def decisions_of(actions: Iterable[a.Action]) -> dict[str, r.DecisionRow]:
    """Decision rows by pair; fails where a pair has two."""
    rows = records(actions, r.DecisionRow)
    found = {row.pair: row for row in rows}
    assert len(found) == len(rows)
    return found


def buys(actions: Iterable[a.Action]) -> list[OrderRequest]:
    """Requests of the purchases to be sent."""
    return [
        action.approved.request
        for action in actions
        if isinstance(action, a.PlaceOrder) and action.approved.request.side is Side.BUY
    ]


def placed() -> tuple[Desk, OrderRequest]:
    """A desk that trades, with one order sent."""
    desk = Desk()
    desk.open()
    return desk, desk.place()


def state_of(desk: Desk, request: OrderRequest) -> OrderState:
    """What the books say of the order."""
    return desk.engine.state.orders.orders[request.cl_ord_id].state
