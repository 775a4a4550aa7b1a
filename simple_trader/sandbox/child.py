"""The sandbox as the daemon's child: its first line on stdout, its end with the daemon's pipe."""

import asyncio
import json
import os
import sys
from collections.abc import Callable

from simple_trader.sandbox import wire
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.settings import SandboxOptions


async def until_end_of_input(stop: Callable[[], None]) -> None:
    """Call `stop` when stdin ends: the daemon is gone, however it went."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        continue
    stop()


def announcement(exchange: Exchange, options: SandboxOptions, host: str, port: int) -> str:
    """Give the first line on stdout: JSON for the daemon, words for people."""
    if options.child:
        return json.dumps(
            {
                "port": port,
                "pid": os.getpid(),
                "world": exchange.world,
                "at": wire.moment_text(exchange.now),
                "account": options.key,
                "frozen": exchange.frozen,
            }
        )
    how = "frozen" if exchange.frozen else f"speed {options.speed:g}"
    if options.relay:
        how = f"prices of {options.relay_rest}, fills simulated, no market impact"
    return (
        f"sandbox of {exchange.world}, {how}: REST http://{host}:{port}, "
        f"WebSocket ws://{host}:{port}/v2 and ws://{host}:{port}/auth/v2, "
        f"key {options.key}, market time {wire.moment_text(exchange.now)}"
    )
