"""A connection pooler in transaction mode, in small: each transaction goes to the next session."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

_READY = b"Z\x00\x00\x00\x05I"
_PARAMETERS = {"server_version": "18.6", "client_encoding": "UTF8", "integer_datetimes": "on"}


class PoolProxy:
    """Lets clients in without a password and shares `sessions` sessions of the server among them.

    A client has one from its first message until the server says that no transaction is open. It
    is given the pooler's own cancel key, as pgbouncer does. `keep` makes it a pool in session mode.
    """

    def __init__(self, dsn: str, folder: Path, *, sessions: int = 4, keep: bool = False) -> None:
        """Stand in `folder` before the unix socket that `dsn` names."""
        parts = urlsplit(dsn)
        host = parse_qs(parts.query)["host"][0]
        self._behind = Path(host) / ".s.PGSQL.5432"
        self._front = folder / ".s.PGSQL.5432"
        self.dsn = dsn.replace(quote(host), quote(str(folder)))
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._database = parts.path.lstrip("/")
        self._size, self._keep = sessions, keep
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys = itertools.count(7_000_000)

    async def __aenter__(self) -> Self:
        """Open the sessions and listen."""
        for _ in range(self._size):
            self._free.append(await self._log_in())
        self._server = await asyncio.start_unix_server(self._serve, self._front)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Stop."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, writer in self._free:
            writer.close()

    async def _log_in(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self._behind)
        words = f"user\0{self._user}\0database\0{self._database}\0\0".encode()
        writer.write(struct.pack("!ii", len(words) + 8, 196608) + words)
        nonce = "rOprNGfwEbeRWgbNEkqO"
        bare = f"n=,r={nonce}"
        challenge = ""
        async for kind, body in _messages(reader):
            if kind == b"R" and body[:4] == b"\0\0\0\x0a":
                first = f"n,,{bare}".encode()
                start = b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first
                writer.write(_message(b"p", start))
            elif kind == b"R" and body[:4] == b"\0\0\0\x0b":
                challenge = body[4:].decode()
                writer.write(_message(b"p", _proof(self._password, bare, challenge)))
            elif kind == b"E":
                raise ConnectionError(body.decode(errors="replace"))
            elif kind == b"Z":
                return reader, writer
        raise ConnectionError("the server hung up")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            size = struct.unpack("!i", await reader.readexactly(4))[0]
            await reader.readexactly(size - 4)  # who it is and what it wants set: not heard
            writer.write(_message(b"R", b"\0\0\0\0"))
            for name, value in _PARAMETERS.items():
                writer.write(_message(b"S", f"{name}\0{value}\0".encode()))
            writer.write(_message(b"K", struct.pack("!ii", next(self._keys), 1)) + _READY)
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a client that goes is nothing to tell
        except asyncio.CancelledError:
            pass  # the end of the test
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client, a transaction at a time."""
        said: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()

        async def listen() -> None:
            async for message in _messages(reader):
                said.put_nowait(message)
            said.put_nowait((b"X", b""))

        async with asyncio.TaskGroup() as group:
            ear = group.create_task(listen())
            while (message := await said.get())[0] != b"X":
                session = await self._take()
                try:
                    gone = await self._one_transaction(message, said, writer, *session)
                finally:
                    async with self._changed:
                        self._free.append(session)  # at the end: the next one gets another
                        self._changed.notify()
                if gone:
                    break
            ear.cancel()

    async def _one_transaction(
        self,
        message: tuple[bytes, bytes],
        said: asyncio.Queue[tuple[bytes, bytes]],
        writer: asyncio.StreamWriter,
        inner: asyncio.StreamReader,
        outer: asyncio.StreamWriter,
    ) -> bool:
        """Forward until no transaction is open; whether the client is gone."""

        async def answer() -> None:
            async for kind, body in _messages(inner):
                writer.write(_message(kind, body))
                if (kind, body) == (b"Z", b"I") and not self._keep:
                    return

        async with asyncio.TaskGroup() as group:
            back = group.create_task(answer())
            while message[0] != b"X":
                outer.write(_message(*message))
                following = group.create_task(said.get())
                await asyncio.wait({back, following}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    return False
                message = following.result()
            back.cancel()
        return True

    async def _take(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._free))
            return self._free.pop(0)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bytes]]:
    while True:
        try:
            kind = await reader.readexactly(1)
            size = struct.unpack("!i", await reader.readexactly(4))[0]
            yield kind, await reader.readexactly(size - 4)
        except (asyncio.IncompleteReadError, ConnectionError):
            return


def _proof(password: str, bare: str, challenge: str) -> bytes:
    """The client's last SCRAM-SHA-256 message (RFC 5802)."""
    fields = dict(part.split("=", 1) for part in challenge.split(","))
    salt, rounds = base64.b64decode(fields["s"]), int(fields["i"])
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    key = hmac.digest(salted, b"Client Key", "sha256")
    last = f"c=biws,r={fields['r']}"
    words = f"{bare},{challenge},{last}".encode()
    signature = hmac.digest(hashlib.sha256(key).digest(), words, "sha256")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    return f"{last},p={base64.b64encode(proof).decode()}".encode()
