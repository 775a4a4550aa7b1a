"""Whatever a crowd may do to the exchange, as a state machine."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import venue_parts as parts
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from venue_parts import NOON, place

from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.orders import (
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Command,
    Conditional,
    Edit,
    Order,
    Place,
    PlaceBatch,
    SetPair,
    SetSystem,
    Trade,
    Transfer,
    Trigger,
)
from simple_trader.simulator.reports import Refused
from simple_trader.simulator.rules import VenueRules

NAMES = ("main", "other", "third")
KINDS = ("limit", "limit", "limit", "market", "iceberg", "stop", "target", "trail", "cash", "otoco")
OFFSETS = st.integers(-300, 300)
SIZES = st.integers(1, 60)


class Crowd(RuleBasedStateMachine):
    """Three accounts do anything to one venue; what must hold is checked after every act."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON
        self.mid = 650_005
        self.acts: list[tuple[str, datetime, Any]] = []
        self.switches = VenueRules()
        self.specs: list[AccountSpec] = []
        self.there = parts.venue()

    @initialize(
        post_only=st.sampled_from(["refuse", "cancel", "both"]),
        amend_priority=st.sampled_from(["decrease", "never"]),
        fee_default=st.sampled_from(["quote", "documented"]),
        tier=st.sampled_from(["starter", "intermediate", "pro"]),
        counted=st.booleans(),
    )
    def begin(self, tier: Any, counted: bool, **rules: Any) -> None:
        """Open the venue with drawn switches."""
        self.switches = msgspec.convert(rules, VenueRules)
        self.specs = parts.accounts(*NAMES, usd="5000", btc="0.1", tier=tier, counted=counted)
        self.there = parts.venue(self.specs, self.switches)

    def do(self, command: Command) -> None:
        """Carry out a command; a refused one may change the rate counters, nothing else."""
        self.at += timedelta(milliseconds=400)
        self.acts.append(("do", self.at, command))
        before = len(self.there.state.orders), len(self.there.state.trades), list(self.there.open)
        reports = self.there.apply(command, self.at)
        if reports and isinstance(reports[0], Refused):
            assert len(reports) == 1
            state = self.there.state
            assert before == (len(state.orders), len(state.trades), list(self.there.open))

    def pick(self, number: int) -> Order | None:
        """One of the open orders."""
        live = list(self.there.open.values())
        return live[number % len(live)] if live else None

    def order(self, kind: str, account: str, offset: int, size: int, more: int) -> Place:
        """An order of a kind around the market."""
        side, qty = ("buy", "sell")[more % 2], Decimal(size).scaleb(-4) * 5
        price = self.price(offset)
        own: dict[str, Any] = {"account": account, "fee_in_base": (None, True, False)[more % 3]}
        own["stp"] = ("cancel_newest", "cancel_oldest", "cancel_both")[more // 2 % 3]
        if kind == "market":
            return place(side, str(qty), None, **own)
        if kind == "cash":
            return place("buy", None, None, cash_qty=Decimal(size * 9), **own)
        if kind == "iceberg":
            return place(
                side,
                str(qty),
                price,
                order_type="iceberg",
                display_qty=qty / (1 + more % 14),
                **own,
            )
        if kind in ("stop", "target", "trail"):
            name = {"stop": "stop-loss", "target": "take-profit", "trail": "trailing-stop"}[kind]
            limit = price if more % 3 == 0 and kind != "trail" else None
            distance = str(abs(offset) / 10 + 1)
            return parts.stop(
                side, name + ("-limit" if limit else ""), distance if kind == "trail" else price,
                limit=limit, qty=str(qty), reference=("last", "index")[more % 2], **own,
            )  # fmt: skip
        if kind == "otoco":
            own["close"] = Conditional(order_type="limit", limit_price=Decimal(self.price(-offset)))
        force = ("gtc", "ioc", "fok", "gtd")[more // 4 % 4]
        own |= {"time_in_force": force, "post_only": force in ("gtc", "gtd") and more % 5 == 0}
        if force == "gtd":
            own["expire_at"] = self.at + timedelta(seconds=size)
        if more % 7 == 0:
            own["effective_at"] = self.at + timedelta(seconds=size // 2)
        if more % 11 == 0:
            own["cl_ord_id"] = f"n{size % 3}"
        return place(side, str(qty), price, **own)

    def quotes(self) -> tuple[int, int]:
        """The market's quotes; wide in most places, so that orders meet between them."""
        half = 150 if self.mid % 3 else 2
        return self.mid - half, self.mid + half

    def price(self, offset: int) -> str:
        """A price in tenths around the middle."""
        return f"{Decimal(self.mid + offset) / 10:.1f}"

    @rule(
        kind=st.sampled_from(KINDS), account=st.sampled_from(NAMES), offset=OFFSETS, size=SIZES,
        more=st.integers(0, 1000),
    )  # fmt: skip
    def place_one(self, kind: str, account: str, offset: int, size: int, more: int) -> None:
        """Place any order."""
        self.do(self.order(kind, account, offset, size, more))

    @rule(account=st.sampled_from(NAMES), offset=OFFSETS, size=SIZES, more=st.integers(0, 1000))
    def place_batch(self, account: str, offset: int, size: int, more: int) -> None:
        """Place several orders at once."""
        several = [self.order("limit", account, offset, size, more + n) for n in range(3)]
        self.do(PlaceBatch(symbol="BTC/USD", orders=tuple(several), account=account))

    @rule(number=st.integers(0, 50), offset=OFFSETS, size=SIZES, what=st.integers(0, 15))
    def amend(self, number: int, offset: int, size: int, what: int) -> None:
        """Amend an open order, whatever it is."""
        order = self.pick(number)
        if order is not None:
            qty = Decimal(size).scaleb(-4) * 5
            self.do(
                Amend(
                    order_id=order.order_id,
                    account=order.account,
                    qty=qty if what & 1 else None,
                    limit_price=Decimal(self.price(offset)) if what & 2 else None,
                    trigger_price=Decimal(self.price(-offset)) if what & 4 else None,
                    display_qty=qty / 3 if what & 8 else None,
                )
            )

    @rule(number=st.integers(0, 50), offset=OFFSETS, size=SIZES, what=st.integers(0, 7))
    def edit(self, number: int, offset: int, size: int, what: int) -> None:
        """Edit an open order, whatever it is."""
        order = self.pick(number)
        if order is not None:
            self.do(
                Edit(
                    order_id=order.order_id,
                    symbol="BTC/USD",
                    account=order.account,
                    qty=Decimal(size).scaleb(-4) * 5 if what & 1 else None,
                    limit_price=Decimal(self.price(offset)) if what & 2 else None,
                    trigger=Trigger(price=Decimal(self.price(offset))) if what & 4 else None,
                )
            )

    @rule(number=st.integers(0, 50), many=st.integers(0, 5))
    def cancel(self, number: int, many: int) -> None:
        """Cancel one, some or all."""
        order = self.pick(number)
        if order is None:
            return
        if many == 0:
            self.do(CancelAll(account=order.account))
        elif many == 1:
            ids = tuple(o.order_id for o in self.there.open_of(order.account))[:3]
            self.do(CancelBatch(ids, order.account))
        else:
            self.do(Cancel(order.order_id, order.account))

    @rule(account=st.sampled_from(NAMES), amount=st.integers(-4000, 4000), coin=st.booleans())
    def transfer(self, account: str, amount: int, coin: bool) -> None:
        """Bring or take money or coins."""
        asset, scale = ("BTC", -5) if coin else ("USD", 0)
        moved = Decimal(amount).scaleb(scale)
        self.do(Transfer(asset=asset, amount=moved, kind="adjustment", account=account))

    @rule(drift=st.integers(-400, 400), tape=st.lists(st.tuples(OFFSETS, SIZES, st.booleans())))
    def step(self, drift: int, tape: list[tuple[int, int, bool]]) -> None:
        """One market step with its prints."""
        self.at += timedelta(seconds=1)
        self.mid += drift
        prints = tuple(
            Print(self.mid + offset // 10, size * 10**5, flag, True)
            for offset, size, flag in tape[:6]
        )
        self.acts.append(("due", self.at, None))
        self.there.run_due(self.at)
        self.acts.append(("step", self.at, (self.quotes(), prints)))
        self.there.on_market("BTC/USD", self.at, *self.quotes(), prints)

    @precondition(lambda self: len(self.acts) > 5)
    @rule(system=st.sampled_from(["cancel_only", "post_only", "maintenance"]), offset=OFFSETS)
    def outage(self, system: Any, offset: int) -> None:
        """The exchange goes down, people try, and it comes back."""
        self.do(SetSystem(system))
        self.place_one("limit", "main", offset, 20, 3)
        self.place_one("limit", "other", offset, 20, 20)
        self.cancel(offset % 7, 2)
        self.step(offset, [(offset, 20, True)])
        self.do(SetSystem("online"))

    @rule(status=st.sampled_from(["online", "online", "limit_only", "post_only"]))
    def mood(self, status: Any) -> None:
        """The pair takes another status."""
        self.do(SetPair(symbol="BTC/USD", status=status))

    @rule()
    def restart(self) -> None:
        """Come up again from the state."""
        self.there = parts.again(self.there)

    @invariant()
    def the_books_balance(self) -> None:
        """Exact ledgers, covered holds, no crossed book, unique client ids, sums of fills."""
        parts.check(self.there)

    @invariant()
    def what_one_gets_another_gives(self) -> None:
        """Two sides of a trade mirror each other, and never are of one account."""
        sides: dict[int, list[Trade]] = defaultdict(list)
        for trade in self.there.state.trades:
            sides[trade.trade_id].append(trade)
        for met in sides.values():
            assert len(met) <= 2
            if len(met) == 2:
                taker, maker = met
                assert (taker.price, taker.qty, taker.cost) == (maker.price, maker.qty, maker.cost)
                assert {taker.side, maker.side} == {"buy", "sell"}
                assert (taker.liquidity, maker.liquidity) == ("t", "m")
                assert taker.account != maker.account

    @invariant()
    def nothing_waits_that_is_closed(self) -> None:
        """Open orders and only they are in the book or at their trigger."""
        there = self.there
        book = there.books["BTC/USD"]
        placed = {level.order.order_id for side in book.own for level in side}
        waiting = set(there.waiting.get("BTC/USD", {}))
        later = {name for name, order in there.open.items() if order.status == "pending_new"}
        assert placed | waiting | later == set(there.open)
        assert not placed & (waiting | later)

    def teardown(self) -> None:
        """The same acts on a fresh venue end in the same state."""
        if not self.specs:
            return
        fresh = parts.venue(self.specs, self.switches)
        for kind, at, what in self.acts:
            if kind == "do":
                fresh.apply(what, at)
            elif kind == "due":
                fresh.run_due(at)
            else:
                (bid, ask), prints = what
                fresh.on_market("BTC/USD", at, bid, ask, prints)
        assert parts.frozen(fresh) == parts.frozen(self.there)


Crowd.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestCrowd = Crowd.TestCase
