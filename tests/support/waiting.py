"""Waits for what real sockets, processes or a database bring about."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 40.0  # it costs nothing where all is well, and a busy machine is no fault


async def until(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait until `holds()`; TimeoutError when it does not within `within_s` seconds."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.005)
