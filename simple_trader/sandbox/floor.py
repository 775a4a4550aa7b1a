"""What sessions and REST need of the exchange, and the messages of one market moment."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from simple_trader.sandbox import feeds
from simple_trader.sandbox.accounts_file import KeySpec
from simple_trader.sandbox.auth import Keys
from simple_trader.sandbox.executions import Words
from simple_trader.sandbox.market import PairMarket
from simple_trader.sandbox.rules import SurfaceRules
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.matching import PairBook
from simple_trader.simulator.orders import Command
from simple_trader.simulator.reports import Report
from simple_trader.simulator.venue import Venue


class Floor(Protocol):
    """What a session needs of the exchange."""

    venue: Venue
    pairs: dict[str, Instrument]
    frozen: bool
    keys: Keys
    rules: SurfaceRules
    words: Words

    @property
    def now(self) -> datetime:
        """Give market time."""

    @property
    def system(self) -> str:
        """Give the status of the whole exchange; `maintenance` while frozen."""

    def now_us(self) -> int:
        """Give market time in microseconds."""

    def market(self, symbol: str) -> PairMarket:
        """Give the public side of a pair."""

    def book(self, symbol: str) -> PairBook:
        """Give the book of a pair."""

    def feed(self, symbol: str, depth: int) -> feeds.BookFeed:
        """Give the shared book feed of a pair and depth."""

    def execute(self, command: Command) -> list[Report]:
        """Journal and carry out a command; nothing is published yet."""

    def publish(self, reports: list[Report]) -> None:
        """Tell all sessions what came of a command."""

    def events_first(self) -> bool:
        """Say whether the events of the command at hand go out before its response."""

    def arm_switch(self, account: str, timeout_s: int) -> tuple[datetime, datetime]:
        """Arm or (with 0) disarm an account's dead man's switch; gives now and trigger time."""


class Moment(Protocol):
    """The messages of one market moment of one pair, each made at most once."""

    symbol: str

    def trades(self) -> str | None:
        """Give the trade message, or None without trades."""

    def ticker(self, trigger: str) -> str | None:
        """Give the ticker message, or None when this trigger has nothing to tell."""

    def ohlc(self, interval: int) -> str | None:
        """Give the candle message, or None without trades."""

    def book(self, depth: int) -> str | None:
        """Give the book message, or None without change."""


class Counter(Protocol):
    """What the desks need of their session."""

    floor: Floor

    def send(self, frame: str) -> None:
        """Queue one frame."""

    def answer(self, method: str, req_id: int | None, result: object | None, **more: Any) -> None:
        """Queue a response."""

    def fail(self, method: str, req_id: int | None, error: str, symbol: str | None = None) -> None:
        """Queue a refusal."""

    def need_token(self, params: dict[str, Any], *permissions: str) -> KeySpec:
        """Give whose token this is; refuse a request without one, or one that may not do it."""


Handler = Callable[[dict[str, Any], int | None], None]
