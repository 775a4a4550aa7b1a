"""Bringing a dump back: into a schema of its own, examined there, then in the place of the old one.

Nothing is overwritten. The old world keeps its rows as schema `world_<stamp>`; the dump becomes
`public` in the same transaction, or nothing at all happens.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import (
    LONG_PATIENCE,
    RawConnection,
    World,
    check_schema,
    read_world,
    session,
)
from simple_trader.adapters.store.fresh import rename_schema, require_no_daemon
from simple_trader.adapters.store.journal_reader import verify_journal
from simple_trader.adapters.store.postgres_tools import pg_restore_call, psql_call
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.adapters.store.sequences import mend_sequences
from simple_trader.domain.errors import StoreError, StoreSetupError, TraderError, WorldMismatch

_WITHIN_S = 3600.0
_DRAFT = "restore_draft"
_HELD = """
SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    OR EXISTS (SELECT 1 FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
    OR EXISTS (SELECT 1 FROM pg_type WHERE typnamespace = 'public'::regnamespace)
"""
# As one document: whatever columns are left of damaged rows.
_LATCHED = "SELECT to_jsonb(r)::text FROM risk_states AS r WHERE name = 'account'"
_KEEP_LATCHED = """
WITH old AS (
    SELECT
        coalesce((d ->> 'halted')::boolean, FALSE) AS halted,
        coalesce(d ->> 'halt_reason', 'operator') AS reason,
        coalesce(d ->> 'halt_detail', '') AS detail,
        coalesce((d ->> 'cancel_due')::boolean, FALSE) AS due,
        coalesce((d ->> 'day_stopped')::boolean, FALSE) AS day,
        coalesce((d ->> 'drawdown_stopped')::boolean, FALSE) AS drawdown
    FROM (SELECT $1::text::jsonb AS d) AS document
),
before AS (SELECT halted, day_stopped, drawdown_stopped FROM risk_states WHERE name = 'account'),
kept AS (
    UPDATE risk_states AS r
    SET state = CASE WHEN r.halted OR o.halted THEN 'HALT' ELSE r.state END,
        halt_reason = CASE WHEN r.halted OR NOT o.halted THEN r.halt_reason ELSE o.reason END,
        halt_detail = CASE WHEN r.halted OR NOT o.halted THEN r.halt_detail ELSE o.detail END,
        halted = r.halted OR o.halted,
        cancel_due = r.cancel_due OR (o.halted AND o.due),
        day_stopped = r.day_stopped OR o.day,
        drawdown_stopped = r.drawdown_stopped OR o.drawdown
    FROM old AS o
    WHERE r.name = 'account'
)
SELECT told.what
FROM old AS o
LEFT JOIN before AS b ON TRUE
CROSS JOIN LATERAL (
    VALUES
        ('trading is halted', o.halted AND b.halted IS NOT TRUE),
        ('the loss limit of the day holds', o.day AND b.day_stopped IS NOT TRUE),
        ('the drawdown limit holds', o.drawdown AND b.drawdown_stopped IS NOT TRUE)
) AS told (what, is_new)
WHERE told.is_new
"""
# A backup of before the first commit of a life has no such row at all.
_KEEP_ROW = """
INSERT INTO risk_states
SELECT (jsonb_populate_record(NULL::risk_states, $1::text::jsonb)).*
ON CONFLICT (name) DO NOTHING
"""
_DROP_DRAFT = "DROP SCHEMA IF EXISTS restore_draft CASCADE"
# Until the COMMIT at its end nobody sees any of it; a script that is cut off is undone.
_PRELUDE = b"""
SET client_min_messages = warning;
BEGIN;
DROP SCHEMA IF EXISTS restore_draft CASCADE;
ALTER SCHEMA public RENAME TO restore_held;
CREATE SCHEMA public;
"""
_POSTLUDE = b"""
ALTER SCHEMA public RENAME TO restore_draft;
ALTER SCHEMA restore_held RENAME TO public;
COMMIT;
"""
# Newer tools write settings that an older server does not know; none of them matters here.
_UNKNOWN_SETTINGS = (b"SET transaction_timeout = 0;\n",)


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: where the old rows are (None: there were none), and what the dump held."""

    aside: str | None
    world: str
    last_seq: int
    orders: int
    fills: int
    epoch: int
    notes: tuple[str, ...]


async def restore_database(
    dsn: str, path: Path, stamp: str, *, bin_dir: Path | None = None
) -> Restored:
    """Put the dump at `path` in the place of schema `public`; `stamp` names what was there.

    Raises LockHeld while a daemon trades, WorldMismatch for the dump of another world, SchemaError
    for one this version cannot read, StoreError or InvariantBroken when it is damaged: in each case
    the database is as it was.
    """
    if not path.is_file():
        raise StoreSetupError(f"there is no backup {path}.")
    doing = f"{path} was not restored, the database is as it was"
    async with session(
        dsn, application="simple-trader restore", doing=doing, settings=LONG_PATIENCE
    ) as connection:
        await require_no_daemon(connection)
        had_world = await connection.fetchval("SELECT to_regclass('public.world')") is not None
        held = await connection.fetchval(_HELD)  # also what is damaged, or somebody else's
        await _load(connection, dsn, path, bin_dir)
        try:
            draft = f"{dsn}{'&' if '?' in dsn else '?'}search_path={quote(_DRAFT)}"
            found = await _examine(draft, path, await read_world(dsn) if had_world else None)
            aside = f"world_{stamp}" if held else None
            epoch, kept = await _exchange(connection, aside)
        except (TraderError, asyncpg.PostgresError):
            await connection.execute(_DROP_DRAFT)
            raise
    return msgspec.structs.replace(found, aside=aside, epoch=epoch, notes=found.notes + kept)


async def _load(connection: RawConnection, dsn: str, path: Path, bin_dir: Path | None) -> None:
    """Run the dump's script into the draft schema, in one transaction of psql."""
    major = int(connection.get_server_version().major)
    reading = pg_restore_call(major, bin_dir=bin_dir)
    writing = psql_call(dsn, ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], bin_dir=bin_dir)
    what = ["--no-owner", "--no-privileges", "--schema=public", "--file=-", str(path)]
    async with (
        _process([*reading.argv, *what], reading.env, stdin=None) as source,
        _process(writing.argv, writing.env, stdin=asyncio.subprocess.PIPE) as target,
        asyncio.timeout(_WITHIN_S),
    ):
        moved = await _pump(source, target)
        words = await _last_words(source)
        if moved and not words:
            await _say(target, _POSTLUDE)
        if target.stdin is not None:
            target.stdin.close()
        refused = await _last_words(target)
    if words or refused:
        raise StoreError(f"{path} was not restored, the database is as it was: {words or refused}.")


@asynccontextmanager
async def _process(
    argv: list[str], env: dict[str, str], *, stdin: int | None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
        stdout=asyncio.subprocess.PIPE if stdin is None else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C", **env},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _pump(source: asyncio.subprocess.Process, target: asyncio.subprocess.Process) -> bool:
    """Pass the script on; false when psql gave up on the way."""
    assert source.stdout is not None
    if not await _say(target, _PRELUDE):
        return False
    in_head = True
    while chunk := await source.stdout.read(1 << 16):
        if in_head:
            for setting in _UNKNOWN_SETTINGS:
                chunk = chunk.replace(setting, b"")
            in_head = False
        if not await _say(target, chunk):
            return False
    return True


async def _say(target: asyncio.subprocess.Process, words: bytes) -> bool:
    assert target.stdin is not None
    try:
        target.stdin.write(words)
        await target.stdin.drain()
    except ConnectionError:
        return False
    return True


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """Wait for the end: empty when all went well, else what it complained about first."""
    assert process.stderr is not None
    said = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
    code = await process.wait()
    if code == 0:
        return ""
    return next((line for line in said if "rror" in line), said[-1] if said else f"code {code}")


async def _examine(draft: str, path: Path, current: World | None) -> Restored:
    """Read the restored rows as a start would; raises what a start would."""
    await check_schema(draft)
    world = await read_world(draft)
    if world is None:
        raise StoreError(f"{path} holds no world: no daemon ever ran on what it was made of.")
    if current is not None and (world.mode, world.identity) != (current.mode, current.identity):
        raise WorldMismatch(
            f"{path} holds another world ({world.mode}, {world.detail}) than this database "
            f"({current.mode}, {current.detail}): restore it with another --state-dir."
        )
    doing = "the restored rows could not be examined"
    async with session(draft, application="simple-trader restore", doing=doing) as connection:
        notes = tuple(str(one) for one in await mend_sequences(connection))
    end = await verify_journal(draft)
    found = await Recovery(draft, boot_seconds=0).rehearse()
    return Restored(
        aside=None,
        world=f"{world.mode}, {world.detail}",
        last_seq=max(end.last_seq, found.last_seq),
        orders=len(found.orders),
        fills=found.fills_booked,
        epoch=found.epoch,
        notes=notes,
    )


async def _exchange(connection: RawConnection, aside: str | None) -> tuple[int, tuple[str, ...]]:
    """Make the draft `public` and the old `public` `aside`, in one transaction.

    The epoch goes on from whichever of the two is higher, so that no id is ever used twice (I-02),
    and what either holds latched stays so: nobody resumed it (I-24).
    """
    async with connection.transaction():
        known = 0
        if await connection.fetchval("SELECT to_regclass('public.writer_epoch')") is not None:
            known = await connection.fetchval("SELECT coalesce(max(epoch), 0) FROM writer_epoch")
        latched = None
        if await connection.fetchval("SELECT to_regclass('public.risk_states')") is not None:
            latched = await connection.fetchval(_LATCHED)
        gone = aside or "restore_empty"
        await connection.execute(await rename_schema(connection, "public", gone))
        await connection.execute(await rename_schema(connection, _DRAFT, "public"))
        if aside is None:
            await connection.execute("DROP SCHEMA restore_empty")
        epoch: int = await connection.fetchval(
            "UPDATE writer_epoch SET epoch = greatest(epoch, $1) RETURNING epoch", known
        )
        kept = await connection.fetch(_KEEP_LATCHED, latched or "{}")
        if kept:
            await connection.execute(_KEEP_ROW, latched)
    return epoch, tuple(f"{row['what']}, as before the restore" for row in kept)
