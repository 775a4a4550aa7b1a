"""Accounts and markets in which answers arrive: a real engine each, ready at the moment it asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import brain_desk as desk_parts
import msgspec
from answered import arrived
from brain_desk import BTC, ETH, D, Desk

from hostile.envelope import ONE, ZERO, Facts, Market
from simple_trader.core.engine import Engine
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.instruments import PairStatus

CASH = D(10_000)
FEE = D("0.004")
TOUCH = {BTC: (D("49999.5"), D("50000.5")), ETH: (D("1999.5"), D("2000.5"))}


@dataclass(frozen=True)
class Scene:
    """The engine's state as bytes, the question it asked, and what is true then."""

    name: str
    state: bytes
    asked: a.AskAdvice
    at: datetime
    seq: int
    facts: Facts

    @property
    def pairs(self) -> tuple[str, ...]:
        """The pairs asked about."""
        return tuple(brief.pair for brief in self.asked.briefs)

    def answered(self, raw: str, *, kind: str = "content", finish: str = "stop") -> list[a.Action]:
        """The actions of a fresh engine that gets this answer."""
        return self.told(self.event(raw, kind, finish))

    def told(self, event: e.Event) -> list[a.Action]:
        """The actions of a fresh engine that hears of this."""
        engine = Engine.restore(self.state)
        return engine.process(e.Stamped(self.seq + 1, self.at, event))

    def after(self, raw: str, *, kind: str = "content", finish: str = "stop") -> Engine:
        """The engine itself after this answer."""
        engine = Engine.restore(self.state)
        engine.process(e.Stamped(self.seq + 1, self.at, self.event(raw, kind, finish)))
        return engine

    def event(self, raw: str, kind: str, finish: str) -> e.AdviceArrived:
        """The answer as the body hands it in."""
        return arrived(self.asked.question.question_id, raw, kind=kind, finish_reason=finish)


def _desk(**changes: Any) -> Desk:
    """A desk with 10,000 USD at RUN; the changes are of its settings."""
    limits = {"base_order": D(1000), **changes}
    desk = Desk()
    desk.open(balances={"USD": CASH}, settings=desk_parts.settings(**limits))
    return desk


def _scene(name: str, desk: Desk, **facts: Any) -> Scene:
    asked = desk.ask()
    given: dict[str, Any] = {
        "at": desk.at,
        "markets": {pair: Market(*touch) for pair, touch in TOUCH.items()},
        "cash": CASH,
        "equity": CASH,
    }
    return Scene(name, desk.engine.snapshot(), asked, desk.at, desk.seq, Facts(**given | facts))


def _bought(desk: Desk, pair: str, exec_id: str) -> tuple[Any, Any]:
    """Buy, be filled and see it; the quantity held, and what it cost with its fee."""
    order = desk.hold(pair, exec_id)
    return order.qty, order.qty * (order.limit_price or ZERO) * (ONE + FEE)


def _fresh() -> Scene:
    return _scene("fresh", _desk())


def _holding() -> Scene:
    desk = _desk()
    btc, paid = _bought(desk, BTC, "E1")
    desk.next_candle()
    eth, more = _bought(desk, ETH, "E2")
    desk.next_candle()
    cash = CASH - paid - more
    values = {BTC: btc * D(50_000), ETH: eth * D(2_000)}
    equity = cash + sum(values.values(), ZERO)
    return _scene(
        "holding", desk, cash=cash, equity=equity, held={BTC: btc, ETH: eth}, exposed=values
    )


def _full() -> Scene:
    """The cap of BTC is used up by a purchase that was as large as it let."""
    desk = _desk(base_order=D(6_000))
    btc, paid = _bought(desk, BTC, "E1")
    desk.next_candle()
    cash = CASH - paid
    value = btc * D(50_000)
    return _scene(
        "full", desk, cash=cash, equity=cash + value, held={BTC: btc}, exposed={BTC: value},
        base_order=D(6_000),
    )  # fmt: skip


def _poor() -> Scene:
    desk = Desk()
    desk.open(balances={"USD": D(30)}, settings=desk_parts.settings(base_order=D(1000)))
    return _scene("poor", desk, cash=D(30), equity=D(30))


def _unknown() -> Scene:
    """Nobody knows what became of an order on BTC."""
    desk = _desk()
    order = desk.place(BTC)
    desk.do(e.SendUnknown(cl_ord_id=order.cl_ord_id, detail="the line was cut"))
    desk.next_candle()
    gone = order.qty * (order.limit_price or ZERO) * (ONE + FEE)
    markets = {BTC: Market(*TOUCH[BTC], unresolved=True), ETH: Market(*TOUCH[ETH])}
    return _scene("unknown", desk, cash=CASH - gone, exposed={BTC: gone}, markets=markets)


def _reduced() -> Scene:
    desk = _desk()
    btc, paid = _bought(desk, BTC, "E1")
    desk.next_candle()
    desk.do(e.FeedDown(feed="private", detail="cut"))
    cash, value = CASH - paid, btc * D(50_000)
    return _scene(
        "reduced", desk, cash=cash, equity=cash + value, held={BTC: btc}, exposed={BTC: value},
        may_buy=False,
    )  # fmt: skip


def _halted() -> Scene:
    desk = _desk()
    btc, paid = _bought(desk, BTC, "E1")
    desk.next_candle()
    desk.do(e.OperatorHalt(actor="test", detail="test"))
    cash, value = CASH - paid, btc * D(50_000)
    return _scene(
        "halted", desk, cash=cash, equity=cash + value, held={BTC: btc}, exposed={BTC: value},
        may_buy=False, may_sell=False,
    )  # fmt: skip


def _stale() -> Scene:
    desk = _desk()
    desk.at += desk_parts.timedelta(seconds=40)
    old = {pair: Market(*touch, age_s=40.0) for pair, touch in TOUCH.items()}
    return _scene("stale", desk, markets=old)


def _delisted() -> Scene:
    desk = _desk()
    shut = desk_parts.rules(BTC, status=PairStatus.DELISTED)
    desk.do(e.InstrumentSeen(rules=shut))
    markets = {BTC: Market(*TOUCH[BTC], online=False), ETH: Market(*TOUCH[ETH])}
    return _scene("delisted", desk, markets=markets)


_MAKERS: dict[str, Callable[[], Scene]] = {
    make.__name__.removeprefix("_"): make
    for make in (
        _fresh, _holding, _full, _poor, _unknown, _reduced, _halted, _stale, _delisted,
    )
}  # fmt: skip
NAMES = tuple(_MAKERS)


@cache
def scene(name: str) -> Scene:
    """The scene of this name, made once."""
    return _MAKERS[name]()


def rules_of_config(engine: Engine) -> bytes:
    """All that no answer may change: the settings, their hash, and who may place."""
    state = engine.state
    return msgspec.json.encode((state.settings, state.config_hash, state.mode, state.epoch))
