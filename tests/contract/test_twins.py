"""The contract, any mix of it: the same random trader in two equal worlds leads to equal facts.

One world is driven through our client, the other by raw frames; both begin with the same seed. What
the two report in the end, event by event and digit by digit, must be the same.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from contract_client import ClientDriver
from contract_facts import Change, Driver, Refused, Wanted
from contract_raw import RawDriver
from contract_words import d, on_grid
from contract_world import World, world

STEPS = 120
KINDS = ("limit", "limit", "limit", "market", "stop-loss", "take-profit-limit", "trailing-stop")
RULES = ("ioc_remainder=expired", "post_only=both")


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """Two exchanges with one seed, responses and events mixed."""
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(world(tmp_path_factory.mktemp("twin"), *RULES, mixed_replies=True))
            for _ in range(2)
        )
        yield first, second


class Trader:
    """Does what its dice say, and remembers what each verb gave."""

    def __init__(self, driver: Driver, there: World, seed: int) -> None:
        self.driver, self.there = driver, there
        self.dice = random.Random(seed)
        self.said: list[object] = []
        self.ids: list[str] = []

    async def act(self) -> None:
        """One verb."""
        verb = self.dice.choices(
            ("place", "amend", "cancel", "fill", "step", "wick", "cancel_all", "check"),
            (40, 15, 12, 12, 20, 2, 1, 4),
        )[0]
        match verb:
            case "place":
                order = self._order()
                outcome = await self.driver.place(order)
                self.ids += [order.cl_ord_id] if isinstance(outcome, str) else []
                self._note(outcome)
            case "amend" if self.ids:
                self._note(await self.driver.amend(self._change()))
            case "cancel" if self.ids:
                self._note(await self.driver.cancel(self.dice.choice(self.ids)))
            case "fill":
                await self._fill()
            case "step":
                await self.driver.step(self.dice.randint(1, 4))
            case "wick":
                percent = self.dice.choice((-3, 3))
                self.there.do("wick", pair="BTC/USD", percent=percent, lasts_s=4)
                await self.driver.step(6)
            case "cancel_all":
                self._note(await self.driver.cancel_all())
            case "check":
                self._note(await self.driver.check(self._order()))
            case _:
                await self.driver.settle()

    def _note(self, outcome: object) -> None:
        # A refusal that proves nothing is told in the words of who was asked.
        unsure = isinstance(outcome, Refused) and not outcome.sure
        self.said.append("unsure" if unsure else outcome)

    def _order(self) -> Wanted:
        dice, (bid, ask) = self.dice, self.there.best()
        kind, side = dice.choice(KINDS), dice.choice(("buy", "sell"))
        near = d(str(dice.choice((0.97, 0.998, 1, 1, 1.002, 1.03))))
        price = on_grid((bid if side == "buy" else ask) * near)
        order = Wanted(
            cl_ord_id=f"tw-{dice.randrange(60)}",
            qty=d(str(dice.choice((0.01, 0.1, 0.7, 3)))),
            side=side,
            kind=kind,
            fee=dice.choice(("quote", "quote", "base")),
            stp=dice.choice(("cancel_newest", "cancel_oldest", "cancel_both")),
        )
        if kind == "limit":
            force = dice.choice(("gtc", "gtc", "ioc"))
            return replace(
                order, price=price, force=force, post_only=force == "gtc" and dice.random() < 0.3
            )
        if kind == "trailing-stop":
            return replace(order, trigger=d("1"), trigger_type="pct")
        if kind == "market":
            return order
        return replace(order, trigger=price, price=price if kind.endswith("limit") else None)

    def _change(self) -> Change:
        dice, (bid, _) = self.dice, self.there.best()
        name = dice.choice(self.ids)
        if dice.random() < 0.5:
            return Change(cl_ord_id=name, qty=d(str(dice.choice((0.005, 0.05, 0.9)))))
        price = on_grid(bid * d(str(dice.choice((0.98, 0.999, 1.001)))))
        return Change(cl_ord_id=name, price=price, post_only=dice.random() < 0.5)

    async def _fill(self) -> None:
        rows = await self.driver.open_orders()
        resting = sorted(row.cl_ord_id or "" for row in rows if row.kind == "limit")
        if resting:
            args: dict[str, Any] = {"share": self.dice.choice((0.3, 1)), "parts": 2}
            name = self.dice.choice(resting)
            self.there.do("fill", account=self.driver.account, cl_ord_id=name, **args)

    async def facts(self) -> dict[str, Any]:
        """Everything this side can tell."""
        driver = self.driver
        lines, fills = await driver.lines(), await driver.fills()
        return {
            "said": self.said,
            "told": await driver.told(),
            "lines told": await driver.lines_told(),
            "totals told": await driver.totals_told(),
            "balances": await driver.balances(),
            "open": sorted(await driver.open_orders(), key=lambda row: row.order_id),
            "closed": sorted(await driver.closed_orders(), key=lambda row: row.order_id),
            "lines": sorted(lines, key=lambda line: line.ledger_id),
            "fills": sorted(fills, key=lambda fill: fill.exec_id),
        }


@pytest.mark.parametrize("seed", range(1, 7))
async def test_two_traders_alike_in_two_worlds_alike_report_the_same(
    twins: tuple[World, World], seed: int
) -> None:
    """Sections 6 to 11: whatever is done, both readings of the protocol see the same facts."""
    found: list[dict[str, Any]] = []
    for there, kind in zip(twins, (ClientDriver, RawDriver), strict=True):
        driver = kind(there, there.account(), None)
        await driver.open()
        trader = Trader(driver, there, seed)
        for _ in range(STEPS):
            await trader.act()
        found.append(await trader.facts())
        there.do("cancel_all", account=driver.account)
        await driver.close()
    ours, raw = found
    assert len(ours["told"]) > STEPS
    for what, facts in ours.items():
        assert facts == raw[what], what
