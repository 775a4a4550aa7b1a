"""From a WebSocket into a verified book: our client beside `websockets` and `picows`, same frames.

Run: make bench ARGS=ws_book. A server in a process of its own sends the frames of streams.py over
loopback, uncompressed; each client takes them in turn, round by round. The peers carry the best
pure-Python book and nothing else; ours is the daemon's own way: wire, feed, session, events,
counts.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import peers
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from streams import PAIR, generate
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

DEPTH = 10
END = b'{"channel":"heartbeat"}'
AT = datetime(2026, 11, 1, tzinfo=UTC)
Client = Callable[[str, bytes, int], Awaitable[None]]


async def blast(count: int) -> None:
    """The server: all frames as fast as the socket takes them, once a connection says `go`."""
    # Framed beforehand and written in pieces: the sender must not be what is measured.
    frames = [
        Frame(Opcode.TEXT, data).serialize(mask=False) for data in (*generate(DEPTH, count).v2, END)
    ]
    pieces = [b"".join(frames[at : at + 200]) for at in range(0, len(frames), 200)]

    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        for piece in pieces:
            connection.transport.write(piece)
            while connection.transport.get_write_buffer_size() > 1 << 20:
                await asyncio.sleep(0.0005)
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


async def ours(url: str, snapshot: bytes, count: int) -> None:
    """The daemon's wire, feed and public session."""
    from simple_trader.adapters.kraken.connection import open_wire
    from simple_trader.adapters.kraken.order_books import Throttle
    from simple_trader.adapters.kraken.public_session import PublicPlan, PublicSession
    from simple_trader.adapters.kraken.session import Timing
    from simple_trader.adapters.kraken.symbols import Symbols

    session = PublicSession(
        Timing(),
        time.monotonic(),
        plan=PublicPlan(pairs=(PAIR,), book_depth=DEPTH),
        symbols=Symbols(),
        market_now=lambda: AT,
        throttle=Throttle(1.0),
    )
    session.take_outgoing()
    wire = await open_wire(url)
    await wire.send("go")
    loop = asyncio.get_running_loop()
    frames = 0
    while frames < count + 2:
        session.receive(await wire.recv(), loop.time())
        frames += 1
        if session.has_events:
            session.take_events()
        if session.has_outgoing:
            session.take_outgoing()
    assert session.books[PAIR].trusted
    await wire.close()


async def with_websockets(url: str, snapshot: bytes, count: int) -> None:
    """`websockets` and the best book."""
    run = peers.best_design(snapshot, DEPTH)
    async with connect(url, compression=None, max_size=None) as connection:
        await connection.send("go")
        await connection.recv(decode=False)  # the snapshot
        while (frame := await connection.recv(decode=False)) != END:
            run([frame])


async def with_picows(url: str, snapshot: bytes, count: int) -> None:
    """`picows` (C) and the best book."""
    run = peers.best_design(snapshot, DEPTH)
    done = asyncio.get_running_loop().create_future()

    class Listener(WSListener):
        first = True

        def on_ws_connected(self, transport: WSTransport) -> None:
            transport.send(WSMsgType.TEXT, b"go")

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            payload = frame.get_payload_as_bytes()
            if self.first:
                self.first = False
            elif payload == END:
                done.set_result(None)
            else:
                run([payload])

    transport, _ = await ws_connect(Listener, url)
    await done
    transport.disconnect()


CLIENTS: dict[str, Client] = {
    "ours": ours,
    "websockets + best book": with_websockets,
    "picows + best book": with_picows,
}


def main() -> int:
    """Print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(blast(chosen.messages))
    count = chosen.messages
    snapshot = generate(DEPTH, 0).v2[0]
    call = [sys.executable, __file__, "--serve", "--messages", str(count)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = f"ws://127.0.0.1:{int(server.stdout.readline())}"
            rates: dict[str, list[float]] = {name: [] for name in CLIENTS}
            for _ in range(chosen.rounds):
                for name, client in CLIENTS.items():
                    began = time.perf_counter()
                    asyncio.run(client(url, snapshot, count))
                    rates[name].append(count / (time.perf_counter() - began))
        finally:
            server.kill()
    print(f"{count} frames at depth {DEPTH}, {chosen.rounds} rounds in turn")
    for name, found in rates.items():
        ratios = [own / other for own, other in zip(rates["ours"], found, strict=True)]
        print(
            f"  {name:24} {max(found):9,.0f} msgs/s (worst {min(found):,.0f})"
            f"  ours is {statistics.median(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
