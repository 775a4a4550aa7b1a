"""The relay's own upstream connection without I/O: text in, news out, requests to write.

It follows the instrument channel and, for each wanted pair, book and trades. A book counts only
while every message since its snapshot was verified; whatever breaks that loses the pair at once,
and only that pair is subscribed anew. Source: protocol sections 2 to 4.
"""

import json
import math
from collections.abc import Callable
from typing import Any, Literal

from simple_trader.sandbox.relay import news
from simple_trader.sandbox.relay.live_book import BadFrame, LiveBook
from simple_trader.sandbox.relay.news import (
    BookLost,
    BookMoved,
    Json,
    LastPrice,
    News,
    PairsAre,
    Printed,
    PrintSeen,
)
from simple_trader.simulator.instruments import Instrument

DEAD_S = 5.0  # heartbeats come every second (section 2.5)
SNAPSHOT_S = 15.0  # a snapshot that does not come is asked for again
CALM_S = 60.0  # a book that held this long starts with a quick second try again
RETRY_MAX_S = 30.0


class Followed:
    """One wanted pair on the present connection."""

    def __init__(self, pair: Instrument, depth: int) -> None:
        self.pair = pair
        self.book = LiveBook(depth)
        self.state: Literal["idle", "asked", "trusted"] = "idle"
        self.retry_at = 0.0
        self.failures = 0
        self.since = 0.0
        self.last_trade_id = 0
        self.trades_asked = False


class Feed:
    """Everything the relay knows of the upstream; `pair_of` gives a symbol's precisions."""

    def __init__(self, pair_of: Callable[[str], Instrument | None], depth: int) -> None:
        self._pair_of = pair_of
        self._depth = depth
        self._wanted: dict[str, None] = {}
        self._followed: dict[str, Followed] = {}
        self._out: list[str] = []
        self._is_open = False
        self._heard_at = 0.0
        self.bad_frames = 0
        self.missed_prints = 0

    # --- what is wanted and what there is -----------------------------------------------------

    def want(self, symbol: str, now: float) -> bool:
        """Follow a pair from now on; False when its precisions are not known."""
        if self._pair_of(symbol) is None:
            return False
        self._wanted[symbol] = None
        if self._is_open:
            self._ask(symbol, now)
        return True

    def book(self, symbol: str) -> LiveBook | None:
        """Give the verified book of a pair; None while there is none to trust."""
        followed = self._followed.get(symbol)
        return followed.book if followed is not None and followed.state == "trusted" else None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The pairs that are followed."""
        return tuple(self._wanted)

    @property
    def has_requests(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._out)

    def outgoing(self) -> list[str]:
        """Hand out the requests to write, oldest first."""
        out, self._out = self._out, []
        return out

    # --- the connection's life ----------------------------------------------------------------

    def opened(self, now: float) -> None:
        """A new connection stands: everything starts again."""
        self._is_open, self._heard_at = True, now
        self._followed.clear()
        self._send("subscribe", {"channel": "instrument", "snapshot": True})
        for symbol in self._wanted:
            self._ask(symbol, now)

    def closed(self, why: str) -> list[News]:
        """The connection is gone and every book with it."""
        self._is_open = False
        self._out.clear()
        lost: list[News] = [
            BookLost(symbol, why)
            for symbol, followed in self._followed.items()
            if followed.state == "trusted"
        ]
        self._followed.clear()
        return lost

    def is_dead(self, now: float) -> bool:
        """Say whether the upstream has been silent for too long."""
        return self._is_open and now - self._heard_at > DEAD_S

    def check(self, now: float) -> list[News]:
        """Ask again for what did not come."""
        lost: list[News] = []
        for symbol, followed in self._followed.items():
            if followed.state == "asked" and now >= followed.retry_at:
                lost += self._lose(symbol, followed, "no snapshot came", now)
            if followed.state == "idle" and now >= followed.retry_at:
                self._ask(symbol, now)
        return lost

    def _ask(self, symbol: str, now: float) -> None:
        followed = self._followed.get(symbol)
        if followed is None:
            pair = self._pair_of(symbol)
            if pair is None:
                return
            followed = self._followed[symbol] = Followed(pair, self._depth)
        if followed.state != "idle":
            return
        followed.book.clear()
        followed.state, followed.retry_at = "asked", now + SNAPSHOT_S
        params = {"channel": "book", "symbol": [symbol], "depth": self._depth, "snapshot": True}
        self._send("subscribe", params)
        if not followed.trades_asked:
            followed.trades_asked = True
            params = {"channel": "trade", "symbol": [symbol], "snapshot": True}
            self._send("subscribe", params)

    def _lose(self, symbol: str, followed: Followed, why: str, now: float) -> list[News]:
        if followed.state == "idle":
            return []
        if followed.state == "trusted" and now - followed.since > CALM_S:
            followed.failures = 0
        was_trusted, followed.state = followed.state == "trusted", "idle"
        params = {"channel": "book", "symbol": [symbol], "depth": self._depth}
        self._send("unsubscribe", params)
        # The first try at once, then slower and slower.
        pause = 0.0 if followed.failures == 0 else min(RETRY_MAX_S, 2.0**followed.failures)
        followed.failures += 1
        followed.retry_at = now + pause
        if pause == 0.0:
            self._ask(symbol, now)
        return [BookLost(symbol, why)] if was_trusted else []

    def _send(self, method: str, params: dict[str, Any]) -> None:
        self._out.append(json.dumps({"method": method, "params": params}, separators=(",", ":")))

    # --- frames -------------------------------------------------------------------------------

    def receive(self, text: str | bytes, now: float) -> list[News]:
        """Take one frame; a frame that cannot be used costs at most its pair."""
        self._heard_at = now
        message = news.read_frame(text)
        if message is None:
            self.bad_frames += 1
            return []
        try:
            if "method" in message:
                return self._on_answer(message, now)
            return self._on_push(message, now)
        except BadFrame:
            self.bad_frames += 1
            return []

    def _on_answer(self, message: Json, now: float) -> list[News]:
        if message.get("success") is not False or message.get("method") != "subscribe":
            return []
        if message.get("error") in ("Already subscribed", "Subscription Not Found"):
            return []
        symbol = message.get("symbol")
        followed = self._followed.get(symbol) if isinstance(symbol, str) else None
        if followed is None or not isinstance(symbol, str) or followed.state != "asked":
            return []
        followed.state = "idle"
        followed.retry_at = now + RETRY_MAX_S
        followed.trades_asked = False
        return [BookLost(symbol, str(message.get("error"))[:200])]

    def _on_push(self, message: Json, now: float) -> list[News]:
        match message.get("channel"):
            case "status":
                found = [news.read_system(row) for row in news.rows_of(message)]
                return [status for status in found if status is not None]
            case "instrument":
                return self._on_pairs(news.read_pairs(message), now)
            case "book":
                return self._on_book(message, now)
            case "trade":
                return self._on_trades(message)
            case _:
                return []

    def _on_pairs(self, pairs: PairsAre, now: float) -> list[News]:
        lost: list[News] = []
        for row in pairs.rows:
            followed = self._followed.get(row.symbol)
            if followed is None:
                continue
            here = followed.pair
            if (row.price_precision, row.qty_precision) != (
                here.price_precision, here.qty_precision,
            ):  # fmt: skip
                # Ticks would mean other prices: until a restart with new rules, no fills.
                lost += self._lose(row.symbol, followed, "its precisions changed", now)
                followed.state, followed.retry_at = "idle", math.inf
        return [pairs, *lost]

    def _on_book(self, message: Json, now: float) -> list[News]:
        found: list[News] = []
        for row in news.rows_of(message):
            symbol = row.get("symbol")
            followed = self._followed.get(symbol) if isinstance(symbol, str) else None
            if followed is None or not isinstance(symbol, str):
                continue
            is_snapshot = message.get("type") == "snapshot"
            if followed.state == "idle" or (followed.state == "asked" and not is_snapshot):
                continue  # the rest of an old subscription
            pair = followed.pair
            try:
                part = news.read_book(row, pair.price_precision, pair.qty_precision)
            except BadFrame as error:
                self.bad_frames += 1
                found += self._lose(symbol, followed, str(error), now)
                continue
            apply = followed.book.snapshot if is_snapshot else followed.book.update
            if not apply(*part):
                found += self._lose(symbol, followed, "its checksum is wrong", now)
                continue
            if is_snapshot:
                followed.state, followed.since = "trusted", now
            found.append(BookMoved(symbol))
        return found

    def _on_trades(self, message: Json) -> list[News]:
        seen: dict[str, list[PrintSeen]] = {}
        last_price: dict[str, int] = {}
        for row in news.rows_of(message):
            symbol = row.get("symbol")
            followed = self._followed.get(symbol) if isinstance(symbol, str) else None
            if followed is None or not isinstance(symbol, str):
                continue
            pair = followed.pair
            trade = news.read_print(row, pair.price_precision, pair.qty_precision)
            last = followed.last_trade_id
            if trade.trade_id <= last:
                continue
            if last:
                self.missed_prints += trade.trade_id - last - 1
            followed.last_trade_id = trade.trade_id
            # What a snapshot tells happened while nobody looked: it moves no queue of ours.
            if message.get("type") == "update" and followed.state == "trusted":
                seen.setdefault(symbol, []).append(trade)
            else:
                last_price[symbol] = trade.tick
        found: list[News] = [LastPrice(symbol, tick) for symbol, tick in last_price.items()]
        return found + [Printed(symbol, tuple(prints)) for symbol, prints in seen.items()]
