"""The exchange's face: keys, REST, counters, late views and switches, all of it by real time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from simple_trader.sandbox.accounts_file import KeySpec, default_plan
from simple_trader.sandbox.amends import AmendBook, AmendRow
from simple_trader.sandbox.auth import Keys
from simple_trader.sandbox.deadman import Switches
from simple_trader.sandbox.memory import Fact, Memory, Nonce
from simple_trader.sandbox.rest import Rest
from simple_trader.sandbox.rest_counter import RestCounters
from simple_trader.sandbox.rest_shared import RestFloor
from simple_trader.sandbox.rules import SurfaceRules
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT
from simple_trader.sandbox.sources import SECOND
from simple_trader.sandbox.spreads import SpreadRow, Spreads
from simple_trader.sandbox.truth import truth_of
from simple_trader.sandbox.views import LateViews, View, live_view
from simple_trader.simulator.reports import Report
from simple_trader.simulator.rules import VenueRules


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange looks from outside.

    `keys`: by API key; none means the well-known one. `keep_switches`: armed switches outlast the
    process in `memory`. `rest_lag_s`: private REST tells the state of that many market seconds ago.
    """

    keys: dict[str, KeySpec] = msgspec.field(default_factory=dict)
    rules: SurfaceRules = SurfaceRules()
    venue_rules: VenueRules = VenueRules()
    memory: Memory | None = None
    keep_switches: bool = False
    mixed_replies: bool = False
    rest_lag_s: float = 0.0


class Front:
    """What clients meet besides their sockets."""

    def __init__(
        self,
        floor: RestFloor,
        surface: Surface,
        wall: Callable[[], datetime],
        seed: int,
        amends: AmendBook,
    ) -> None:
        self._floor = floor
        self._memory = surface.memory or Memory(None)
        usual = default_plan(DEFAULT_KEY, DEFAULT_SIGNING_TEXT, {}, counters=False)
        self.keys = Keys(
            surface.keys or usual.keys, wall, seed, rules=surface.rules, memory=self._memory
        )
        self.switches = Switches(wall, self._memory if surface.keep_switches else Memory(None))
        self.amends = amends
        self.spreads = Spreads()
        self._counters = RestCounters(wall)
        self._rest = Rest(floor, self._counters)
        self._late: LateViews | None = None
        self.set_rest_lag(surface.rest_lag_s)
        for fact in self._memory.load():
            if isinstance(fact, Nonce):
                self.keys.recall(fact)
            else:
                self.switches.recall(fact)
        self._memory.rewrite(self._facts())

    def _facts(self) -> list[Fact]:
        return self.keys.facts() + self.switches.facts()

    def note(self, at: int, reports: list[Report]) -> None:
        """Keep what REST tells of reports later."""
        self.amends.note(reports)
        if self._late is not None:
            self._late.note(at, reports)

    def rest(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, peer: str
    ) -> tuple[int, bytes]:
        """Answer one REST request of an address."""
        return self._rest.answer(method, path, headers, body, peer)

    def set_rest_lag(self, seconds: float) -> None:
        """Let private REST be some market seconds late from now on; 0 ends it."""
        lag_us = int(seconds * SECOND)
        self._late = LateViews(self._floor.venue, lag_us) if lag_us > 0 else None

    def view(self, account: str) -> View:
        """Give what REST shows of an account."""
        if self._late is not None:
            return self._late.view(account, self._floor.now_us())
        return live_view(self._floor.venue, account)

    def amends_of(self, order_id: str) -> list[AmendRow]:
        """Give how an order was changed, oldest first."""
        return self.amends.log.get(order_id, [])

    def best_prices(self, symbol: str) -> list[SpreadRow]:
        """Give the latest best prices of a pair, oldest first."""
        market = self._floor.market(symbol)
        return self.spreads.rows(symbol) or [SpreadRow(market.at, market.bid, market.ask)]

    def truth(self, account: str) -> dict[str, Any]:
        """Give what really happened to an account; raises KeyError for an unknown one."""
        keys = [spec.key for spec in self.keys.specs.values() if spec.account == account]
        return {
            **truth_of(self._floor.venue, account, self._floor.now),
            "rest_counters": self._counters.values(keys),
            "switch_at": self.switches.at(account),
        }

    def tidy_up(self) -> None:
        """Write the memory anew when it has grown long."""
        if self._memory.long:
            self._memory.rewrite(self._facts())

    def close(self) -> None:
        """Let go of the memory's file."""
        self._memory.close()
