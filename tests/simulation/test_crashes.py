"""P01 on virtual time: the daemon is killed around its orders, frames are lost, books still agree.

One exchange and one database live through many lives of the daemon. After each life the next one
starts on what was committed; at the end both sides are compared to the last unit.
"""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import asyncpg
import books
import market_parts
import pytest
from blocking_connection import BlockingLedgerConnection, BlockingLoop
from virtual_time import START, VirtualClock, run_virtually
from virtual_world import BlockingBoot, MemoryWire, VirtualVenue, _wire

from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.ports import HttpFailed
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.settings import SandboxOptions

LIVES = 12
LONGEST_S = 240.0
# Market time of a kill after an order left for the wire: before it arrives, at the match, between
# ack and execution, when all is said (one way of the wire takes 1 to 30 ms).
AFTER_SEND_S = (0.0, 0.005, 0.015, 0.03, 0.045, 0.06, 0.2)
CALM = timedelta(minutes=4)


class RoughWire(MemoryWire):
    """Loses and repeats frames of the private connection, and tells of each order's send."""

    async def send(self, text: str) -> None:
        await super().send(text)
        if '"add_order"' in text:
            self._venue.sends.append(text)
            self._venue.on_order()

    def pump(self) -> None:
        rough, dice = self._venue.rough, self._venue.faults
        for frame in self._session.outgoing():
            private = '"executions"' in frame or '"balances"' in frame or '"add_order"' in frame
            copies = 1
            if private and rough:
                copies = dice.choices((0, 1, 2), (0.06, 0.9, 0.04))[0]
            for _ in range(copies):
                self._down_at = max(self._down_at, self._venue.arrival())
                self._venue.later(self._down_at, lambda f=frame: self._frames.put_nowait(f))


class RoughVenue(VirtualVenue):
    """A venue whose wires are rough and whose REST fails now and then."""

    def __init__(self, loop, clock, exchange, seed: int) -> None:
        super().__init__(loop, clock, exchange, seed)
        self.faults = random.Random(f"faults {seed}")
        self.rough = True
        self.sends: list[str] = []
        self.on_order = lambda: None

    async def open_wire(self, url: str) -> MemoryWire:
        await asyncio.sleep(self._dice.uniform(0.001, 0.030))
        session = self.exchange.open_session(private="auth" in url)
        wire = RoughWire(self, session)
        self._wires.append(wire)
        wire.pump()
        return wire

    async def request(self, method, url, *, headers, body, timeout_s):
        if self.rough and self.faults.random() < 0.05:
            raise HttpFailed("reset")
        return await super().request(method, url, headers=headers, body=body, timeout_s=timeout_s)


class Lives:
    """Runs the daemon again and again on the same world."""

    def __init__(self, loop, dsn: str, folder, seed: int) -> None:
        self.dsn, self.folder, self.seed = dsn, folder, seed
        self.dice = random.Random(f"kills {seed}")
        self.clock = VirtualClock(loop, START)
        options = SandboxOptions(seed=seed, start=START, stepped=True, history_bars=200)
        self.exchange = open_exchange(options, self.clock.wall)
        self.venue = RoughVenue(loop, self.clock, self.exchange, seed)
        self.settings = market_parts.settings(
            aggregator_interval_s=20,
            candle_minutes=1,
            base_order=Decimal(8000),  # large for the book: some orders fill in part
            max_slippage_bps=1,
            max_asset_exposure=Decimal("0.9"),
            max_total_exposure=Decimal("0.95"),
            traded_pairs=("BTC/USD", "ETH/USD", "SOL/USD"),
            daily_loss_limit=Decimal(0),
            stop_loss_percent=Decimal("0.1"),
            take_profit_percent=Decimal("0.1"),
        )

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.venue.run_market())]
            tasks.append(group.create_task(self.venue.run_beats()))
            for _ in range(LIVES):
                await self._live(killed=True)
            self.venue.rough = False
            await self._live(killed=False)
            for task in tasks:
                task.cancel()

    async def _live(self, *, killed: bool) -> None:
        blocking = BlockingLoop()
        connection = BlockingLedgerConnection(lambda: AsyncpgLedgerConnection(self.dsn), blocking)
        try:
            await connection.connect(None)
            store = BlockingBoot(Recovery(self.dsn, boot_seconds=1), blocking)
            daemon, started = await _wire(
                self.clock,
                self.dsn,
                self.settings,
                self.seed,
                self.folder,
                self.venue,
                blocking,
                connection,
                store,
            )
            async with asyncio.TaskGroup() as group:
                running = group.create_task(daemon.run(started))
                if killed:
                    await self._until_the_kill()
                    assert not running.done(), "the daemon ended by itself"
                    running.cancel()
                else:
                    await asyncio.sleep(CALM.total_seconds())
                    daemon.stop_asked.set()
                    await running
            if killed:
                await daemon.parts.market.close()
        finally:
            connection.abort()
            blocking.stop()

    async def _until_the_kill(self) -> None:
        """Most kills come around the send of an order."""
        sent, wanted = asyncio.Event(), self.dice.randint(1, 3)

        def on_order() -> None:
            nonlocal wanted
            wanted -= 1
            if wanted == 0:
                sent.set()

        self.venue.on_order = on_order
        try:
            async with asyncio.timeout(LONGEST_S):
                await sent.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self.dice.choice(AFTER_SEND_S))


async def rows(dsn: str, query: str) -> list[dict]:
    connection = await asyncpg.connect(dsn)
    try:
        return [dict(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


def compared(dsn: str, real: dict) -> books.Books:
    """Both sides, to the last unit."""

    async def read() -> list[list[dict]]:
        return [
            await rows(dsn, "SELECT * FROM trades"),
            await rows(dsn, "SELECT * FROM holding_lots WHERE NOT deleted"),
            await rows(dsn, "SELECT * FROM pending_trades"),
            await rows(dsn, "SELECT * FROM v_decision_audit"),
            await rows(dsn, "SELECT * FROM kraken_balances"),
        ]

    trades, lots, orders, audit, balances = asyncio.run(read())
    found = books.Books(orders=len(orders), fills=len(trades))
    books._trades(found, real, trades)
    books._lots(found, real, lots)
    books._orders(found, real, orders)
    books._audit(found, audit, trades)
    books._balances(found, real, {row["asset"]: row["balance"] for row in balances})
    found.states = dict(Counter(row["state"] for row in orders))
    for row in trades:
        if (row["owner"], row["decision_id"] is None) != ("ai", False):
            found.say(f"trade {row['exec_id']} is booked for {row['owner']} {row['decision_id']}")
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_p01_killed_around_its_orders_with_frames_lost_the_books_agree(
    databases, tmp_path, seed: int
) -> None:
    dsn = databases()
    made: list[Lives] = []

    def begin(loop):
        made.append(Lives(loop, dsn, tmp_path, seed))
        return made[0].run()

    run_virtually(begin)
    lives = made[0]
    real = lives.exchange.truth()
    found = compared(dsn, real)
    names = Counter(text.split('"cl_ord_id":"')[1].split('"')[0] for text in lives.venue.sends)
    assert max(names.values()) == 1, "an order was sent twice (I-02)"
    assert found.orders >= LIVES
    assert {"FILLED", "NOT_ACCEPTED"} <= found.states.keys(), found.states
    assert found.differences == []
