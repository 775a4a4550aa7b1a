"""Book messages (decode, apply, verify CRC-32): ours beside the peers, and the best pure Python.

Run: make bench ARGS=book. Input is generated with a fixed seed (about 1.6 levels a message). All
take the same changes in turn, round by round, so that the ratios mean something on a busy
machine. `session` is the whole way from frame to state and events, as the daemon does it; the
others only keep the book. Depth 1000 is cut short for the slow ones.
"""

import argparse
import gc
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import peers
from peers import Make, Run
from streams import PAIR, Stream, generate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simple_trader.adapters.kraken import wire
from simple_trader.adapters.kraken.order_books import OrderBook, Throttle
from simple_trader.adapters.kraken.public_session import PublicPlan, PublicSession
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.symbols import Symbols

AT = datetime(2026, 11, 1, tzinfo=UTC)
DEPTHS = (10, 25, 1000)
SLOW_AT_1000 = {"python-kraken-sdk": 20, "naive json+Decimal": 10}


def ours_book(snapshot: bytes, depth: int) -> Run:
    """Our book alone."""
    book, read = OrderBook(PAIR, depth), wire.read
    book.snapshot(read(snapshot).data[0])

    def run(frames: list[bytes]) -> None:
        for frame in frames:
            book.update(read(frame).data[0])
        assert book.trusted

    return run


def ours_session(snapshot: bytes, depth: int) -> Run:
    """Our session: frame to state and events."""
    session = PublicSession(
        Timing(),
        0.0,
        plan=PublicPlan(pairs=(PAIR,), book_depth=depth),
        symbols=Symbols(),
        market_now=lambda: AT,
        throttle=Throttle(1.0),
    )
    session.receive(snapshot, 0.0)

    def run(frames: list[bytes]) -> None:
        for frame in frames:
            session.receive(frame, 0.0)
            if session.has_events:
                session.take_events()
        assert session.books[PAIR].trusted

    return run


def contestants() -> dict[str, Make]:
    """Everyone who is installed, by name."""
    found: dict[str, Make | None] = {
        "ours, session": ours_session,
        "ours, book": ours_book,
        "best pure Python": peers.best_design,
        "python-kraken-sdk": peers.python_kraken_sdk(),
        "cryptofeed": peers.cryptofeed(),
        "naive json+Decimal": peers.naive,
    }
    for name, make in found.items():
        if make is None:
            print(f"{name} is not installed here: make bench sets it up")
    return {name: make for name, make in found.items() if make is not None}


def rate(name: str, make: Make, stream: Stream, depth: int) -> float:
    """Updates a second of one run; the snapshot is not timed."""
    frames = stream.v1 if name == "cryptofeed" else stream.v2
    share = SLOW_AT_1000.get(name, 1) if depth == 1000 else 1
    frames = frames[: len(frames) // share]
    run = make(frames[0], depth)
    gc.collect()
    began = time.perf_counter()
    run(frames[1:])
    return (len(frames) - 1) / (time.perf_counter() - began)


def ratio(own: list[float], others: list[float]) -> str:
    """Median, least and most of the ratios of the rounds."""
    found = [mine / other for mine, other in zip(own, others, strict=True)]
    return f"{statistics.median(found):.2f} x ({min(found):.2f} to {max(found):.2f})"


def main() -> None:
    """Print rates and ratios for each depth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    makers = contestants()
    own: dict[int, list[float]] = {}
    for depth in DEPTHS:
        stream = generate(depth, chosen.messages)
        rates: dict[str, list[float]] = {name: [] for name in makers}
        for _ in range(chosen.rounds):
            for name, make in makers.items():
                rates[name].append(rate(name, make, stream, depth))
        own[depth] = rates["ours, session"]
        print(f"depth {depth}: {chosen.messages} updates, {chosen.rounds} rounds in turn")
        for name, found in rates.items():
            print(
                f"  {name:20} {max(found):10,.0f} msgs/s (worst {min(found):,.0f})"
                f"  {1e6 / max(found):8.2f} us/msg"
                f"  our book is {ratio(rates['ours, book'], found)},"
                f" our session {ratio(rates['ours, session'], found)}"
            )
    share = statistics.median(own[1000]) / statistics.median(own[10])
    print(f"our session at depth 1000 has {share:.0%} of its rate at depth 10")


if __name__ == "__main__":
    main()
