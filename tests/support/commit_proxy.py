"""A proxy before a real PostgreSQL socket that loses a COMMIT, or the answer to one."""

import asyncio
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

_COMMIT = b"COMMIT\x00"


class CommitProxy:
    """Forwards bytes; `fate` is what happens to the next COMMIT, then it is harmless again.

    `lost`: the server never sees it; `unanswered`: it is done, and the answer is cut off; `mute`:
    it is swallowed and the connection stays open without a word, as behind a network that is gone.
    """

    def __init__(self, dsn: str, folder: Path) -> None:
        """Stand in `folder` before the unix socket that `dsn` names."""
        host = parse_qs(urlsplit(dsn).query)["host"][0]
        self._behind = Path(host) / ".s.PGSQL.5432"
        self._front = folder / ".s.PGSQL.5432"
        self.dsn = dsn.replace(quote(host), quote(str(folder)))
        self.fate: str | None = None
        self.commits = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._serve, self._front)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Stop."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        inner, outer = await asyncio.open_unix_connection(self._behind)
        try:
            async with asyncio.TaskGroup() as group:
                back = group.create_task(_pump(inner, writer))
                while data := await reader.read(1 << 16):
                    fate = None
                    if data.endswith(_COMMIT):
                        self.commits += 1
                        fate, self.fate = self.fate, None
                    if fate == "lost":
                        break
                    if fate == "mute":
                        continue
                    if fate == "unanswered":
                        back.cancel()
                        await asyncio.gather(back, return_exceptions=True)
                        outer.write(data)
                        await inner.read(1)  # the server has answered: it is committed
                        break
                    outer.write(data)
                back.cancel()
        finally:
            writer.close()
            outer.close()
            self._tasks.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()
