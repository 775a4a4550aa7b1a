"""The examinations of `doctor` that need the database."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import simple_trader
from simple_trader.adapters.store.db_manager import check_schema, schema_revision
from simple_trader.adapters.store.facts import (
    Facts,
    balances_explained,
    read_facts,
    unexplained,
)
from simple_trader.adapters.store.journal_reader import verify_journal
from simple_trader.adapters.store.pooler import POOLER_SENTENCE, pooler_trouble
from simple_trader.app import database
from simple_trader.cli.findings import Finding, fail, ok, warn
from simple_trader.config.loader import Config
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import InvariantBroken, TraderError
from simple_trader.runtime.clocks import SystemClock
from simple_trader.telemetry.presence import DaemonInfo

_CLOCK_APART_S = 2.0
_NEWEST_EVENTS = 20_000
POOLER_FIX = "POSTGRES_DSN=postgresql://USER:PASSWORD@HOST:5432/DATABASE, PostgreSQL's own port"


async def examine_database(
    options: RunOptions, config: Config, daemon: DaemonInfo | None
) -> list[Finding]:
    """Connection, schema, clock, and what the rows say about the daemon's work."""
    try:
        async with database(options) as dsn:
            trouble = await pooler_trouble(dsn)
            if trouble is not None:
                return [fail("database", POOLER_SENTENCE.format(why=trouble), POOLER_FIX)]
            found = [ok("database", "it answers, and a session stays one session")]
            if await schema_revision(dsn) is None:
                found.append(
                    warn("schema", "the database is empty", "start the daemon, or: db upgrade")
                )
                return found
            await check_schema(dsn)
            facts = await read_facts(dsn)
            found.append(await _journal(dsn))
            found.append(_books(await balances_explained(dsn), await unexplained(dsn)))
    except TraderError as error:
        return [fail("database", str(error), "see the sentence; `db upgrade` for an old schema")]
    program = Path(simple_trader.__file__)
    found.append(clock_finding(SystemClock().wall(), facts.database_now, program))
    found.extend(_rows(facts, config, daemon))
    return found


async def _journal(dsn: str) -> Finding:
    """The newest part of the journal, against its hash chain."""
    try:
        end = await verify_journal(dsn, newest=_NEWEST_EVENTS)
    except InvariantBroken as error:
        return fail("journal", str(error), "keep the database as it is and restore a backup")
    return ok("journal", f"ends at event {end.last_seq}, {end.events} checked")


def _books(assets: list[dict[str, Any]], doubts: list[dict[str, Any]]) -> Finding:
    """Balances against opening, ledger and lots, as `simple-trader reconcile` shows them."""
    wrong = dict.fromkeys(one["asset"] for one in assets if one["residual"] != 0)
    wrong.update(dict.fromkeys(one["asset"] or one["subject"] for one in doubts))
    if not wrong:
        return ok("books", f"{len(assets)} assets: balances, ledger and lots agree")
    return warn(
        "books",
        f"{', '.join(wrong)}: balance, ledger and lots do not agree",
        "look again in a minute (a fill may be under way); if it stays: simple-trader reconcile",
    )


def calls_fix(error: str) -> str:
    """What to do about failed questions, by the words of the newest."""
    if "llm_budget." in error:
        return (
            "it is asked again as calls grow older than that hour or day; or raise it in "
            "config.yaml and run: simple-trader limits accept"
        )
    return (
        "simple-trader doctor --llm asks each provider and names its fix; 429: a higher "
        "aggregator_interval_seconds"
    )


def _rows(facts: Facts, config: Config, daemon: DaemonInfo | None) -> Iterator[Finding]:
    settings = config.settings
    if facts.world_mode not in {None, settings.mode}:
        yield fail(
            "world",
            f"the database holds a {facts.world_mode} world, config.yaml says {settings.mode}",
            f"name another --state-dir for {settings.mode}, or start with --fresh",
        )
    yield from _prices(facts, config, daemon)
    yield from _learning(facts, config)
    for what, failed, error in (
        ("advisor calls", facts.failed_calls, facts.call_error),
        ("shadow calls", facts.failed_shadow_calls, facts.shadow_error),
    ):
        if failed:
            detail = f"{failed} of the last 20 failed, the newest of them: {error}"
            yield warn(what, detail, calls_fix(error or ""))
    yield _state(facts)
    if facts.unknown_orders:
        yield warn(
            "orders",
            f"{facts.unknown_orders} have an unknown outcome and block their pairs",
            "let the daemon run: it looks them up; `db psql` and v_decision_audit show them",
        )


def _prices(facts: Facts, config: Config, daemon: DaemonInfo | None) -> Iterator[Finding]:
    if facts.newest_price is not None:
        yield ok("price_history", f"newest price at {facts.newest_price:%Y-%m-%d %H:%M:%SZ}")
        return
    if not config.settings.enable_public_feed:
        cause, fix = "enable_public_feed is off", f"set it to true in {config.path}"
    elif daemon is None:
        cause, fix = "no daemon has run long enough", "start one: simple-trader run"
    else:
        cause, fix = "the public feed delivers nothing", "simple-trader logs --level warning"
    yield warn("price_history", f"no data: {cause}", fix)


def _learning(facts: Facts, config: Config) -> Iterator[Finding]:
    settings = config.settings
    if not settings.enable_model:
        return
    if facts.newest_model is not None:
        yield ok("model", f"trained at {facts.newest_model:%Y-%m-%d %H:%M:%SZ}")
    elif facts.snapshots < settings.min_training_rows:
        yield ok(
            "model",
            f"not trained yet: {facts.snapshots} of {settings.min_training_rows} rows there",
        )
    else:
        yield warn(
            "model",
            f"not trained, though ai_snapshots has {facts.snapshots} rows",
            "wait for training_interval_seconds, then look at: simple-trader logs --level warning",
        )


def _state(facts: Facts) -> Finding:
    if facts.trading_state == "HALT":
        detail = facts.halt_detail or "by an operator"
        return warn("trading", f"is halted: {detail}", "simple-trader resume, once that is settled")
    if facts.trading_state == "REDUCE":
        return warn(
            "trading",
            f"only orders that lower exposure ({facts.reasons})",
            "the reasons are explained in docs/reference/reasons.md",
        )
    return ok("trading", facts.trading_state or "no state yet")


def clock_finding(ours: datetime, theirs: datetime, program: Path) -> Finding:
    """The system clock against the database's and against the age of the program itself."""
    apart = abs((ours - theirs).total_seconds())
    built = datetime.fromtimestamp(program.stat().st_mtime, ours.tzinfo)
    fix = "set the clock and keep it right: timedatectl set-ntp true"
    if ours + timedelta(days=1) < built:
        return fail("clock", f"it is {ours:%Y-%m-%d}, but the program is of {built:%Y-%m-%d}", fix)
    if apart > _CLOCK_APART_S:
        return fail("clock", f"it is {apart:.1f} s apart from the database's", fix)
    return ok("clock", f"{ours:%Y-%m-%d %H:%M:%SZ}")
