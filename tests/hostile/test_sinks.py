"""I-40: wherever words of a model end up, they are words: rows, logs, screens, files, prompts."""

import asyncio
import json
import logging
import re
import unicodedata
from io import StringIO
from pathlib import Path

import asyncpg
import brain_desk as parts
import msgspec
import pytest
from answered import arrived
from brain_desk import Desk
from store_story import running
from typer.testing import CliRunner

from hostile.corpus import BTC_PAIR, ETH_PAIR, answer, decision, entries
from simple_trader.cli import app
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.ports import Batch
from simple_trader.telemetry.logs import ERROR_LOG, MAIN_LOG, Logs
from simple_trader.telemetry.terminal import Fixtures, Terminal, status_line

# What a database or a terminal could obey, and some of the rest.
SHARP = ("22_terminal", "23_sql_shell_html")
# A lone surrogate is in no answer: neither UTF-8 nor the reader of bodies lets one through.
TEXTS = [
    entry.raw
    for entry in entries("texts")
    if not any(0xD800 <= ord(sign) < 0xE000 for sign in entry.raw)
]
SOME = [
    *dict.fromkeys(one.raw for one in entries("texts") if one.theme in SHARP and one.raw in TEXTS)
]
SOME += TEXTS[::4]
ORDERS_OF_A_TERMINAL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
OWN_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
DEEP = '{"decisions": ' + "[" * 30_000


def said(text: str, **more: str) -> str:
    """An answer that holds both pairs, with the text as its reason."""
    hold = {"action": '"hold"', "rationale": json.dumps(text)}
    return answer(decision(BTC_PAIR, **hold | more), decision(ETH_PAIR, **hold))


def answered(asked: a.AskAdvice, raw: str, model: str) -> e.AdviceArrived:
    """An answer of a model of this name."""
    return arrived(asked.question.question_id, raw, model=model, advisor_label=model)


def spoken(texts: list[str]) -> tuple[Desk, list[str]]:
    """A desk to which each text was said as a rationale, some also where they spoil an answer.

    The last answer is one whose nesting has no end.
    """
    desk = Desk()
    desk.open(settings=parts.settings(advice_reuse_s=0))
    raws = []
    for number, text in enumerate(texts):
        told = json.dumps(text)
        raws.append(said(text))
        if number % 2:
            raws.append((said(text, action=told), said(text, pair=told), text)[number % 3])
    for number, raw in enumerate((*raws, DEEP)):
        named = texts[number % len(texts)][:200]  # as whom a provider says that it answers
        desk.do(answered(desk.ask(), raw, named))
        desk.at += parts.timedelta(seconds=5)
        desk.quotes()
    return desk, [*raws, DEEP]


def assert_shown_safely(shown: str) -> None:
    """No byte that a terminal would obey, but line ends and tabs."""
    found = ORDERS_OF_A_TERMINAL.findall(shown)
    assert found == [], [unicodedata.name(sign, ascii(sign)) for sign in found]


OF_THE_MARKET = (r.PriceRow, r.BookMetricsRow)  # they have a lane of their own
SHAPE = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public'
"""


async def kept(dsn: str, desk: Desk) -> None:
    """Write the records of a desk's whole life by the real lane."""
    async with running(dsn) as (lane, ticks, _):
        for stamped, actions in desk.log:
            rows = tuple(
                one.record
                for one in actions
                if isinstance(one, a.Remember) and not isinstance(one.record, OF_THE_MARKET)
            )
            lane.put(Batch(stamped.seq, stamped.at, msgspec.json.encode(stamped), rows, False))
        await ticks.reach(desk.seq)
        await lane.close()


@pytest.mark.timeout(400)
async def test_i_40_l13_in_rows_and_on_the_screens_of_decisions_they_are_text(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await asyncpg.connect(database)
    before = {tuple(row) for row in await connection.fetch(SHAPE)}
    desk, raws = spoken(SOME)
    await kept(database, desk)
    try:
        after = {tuple(row) for row in await connection.fetch(SHAPE)}
        replies = [row["reply"] for row in await connection.fetch("SELECT reply FROM llm_calls")]
        rows = await connection.fetch("SELECT pair, rationale FROM ai_decisions")
        orders = await connection.fetchval("SELECT count(*) FROM pending_trades")
        versions = await connection.fetchval("SELECT count(*) FROM config_versions")
    finally:
        await connection.close()
    assert before <= after
    assert {table.partition("_p2")[0] for table, *_ in after} == {
        table.partition("_p2")[0] for table, *_ in before
    }
    assert (len(replies), len(rows)) == (len(raws), 2 * len(raws))
    assert (orders, versions) == (0, 1)
    stored = {row["rationale"] for row in rows}
    assert {text for text in SOME if text.isprintable()} <= stored
    assert {raw for raw in raws if raw.isprintable()} <= set(replies)
    assert not any("\x00" in text for text in (*stored, *replies))
    await look(database, tmp_path, monkeypatch, decisions=len(rows))


async def look(dsn: str, state: Path, monkeypatch: pytest.MonkeyPatch, *, decisions: int) -> None:
    """Whatever the commands show of it, a terminal has nothing to obey."""
    monkeypatch.setenv("POSTGRES_DSN", dsn)

    async def shown(*arguments: str, command: str = "decisions") -> str:
        whole = [command, *arguments, "--state-dir", str(state)]
        result = await asyncio.to_thread(CliRunner().invoke, app, whole)
        assert result.exit_code == 0, (arguments, result.output[-400:], result.exception)
        return result.output

    listed = await shown("--limit", "5000")
    assert_shown_safely(listed)
    assert listed.count("\n") < decisions + 40  # nothing forged a line
    assert_shown_safely(await shown(command="scorecard"))
    found = json.loads(await shown("--limit", "5000", "--json"))
    assert len(found) == decisions
    names = [row["decision_id"] for row in found]
    for name in (*names[:2], *names[2::40]):  # the newest answer is the endless one
        assert_shown_safely(await shown(name))
        assert_shown_safely(await shown(name, "--full"))


def test_i_40_a_log_line_stays_one_line_without_orders(tmp_path: Path) -> None:
    console = StringIO()
    log = logging.getLogger("simple_trader.brain")
    with Logs(tmp_path, console=console) as logs:
        for text in TEXTS:
            log.warning("No advice: %s", text, extra={"pair": text, "reason": text})
            log.error(text)
    lines = (tmp_path / MAIN_LOG).read_text(encoding="utf-8").split("\n")
    assert len(lines) == 2 * len(TEXTS) + 1
    for line in lines[:-1]:
        told = json.loads(line)
        assert set(told) <= {"at", "level", "logger", "message", "pair", "reason"}
        assert told["level"] in {"warning", "error"}
        assert line.isascii()
        for value in told.values():
            assert_shown_safely(value)
    assert (tmp_path / ERROR_LOG).read_text(encoding="utf-8").count("\n") == 2 * len(TEXTS)
    assert console.getvalue().count("\n") == 2 * len(TEXTS)
    assert_shown_safely(console.getvalue())
    assert_shown_safely("\n".join(logs.recent))


def test_i_40_the_live_card_and_the_status_line_obey_nothing(tmp_path: Path) -> None:
    desk = Desk()
    desk.open(settings=parts.settings(advice_reuse_s=0))
    fixtures = Fixtures(
        health_url="http://127.0.0.1:1/health",
        psql_line="psql",
        advisor="test",
        speed_asked=1.0,
        log_dir="logs",
    )
    for text in SOME:
        asked = desk.ask()
        desk.do(answered(asked, said(text), text))
        desk.at += parts.timedelta(seconds=5)
        desk.quotes()
        view = desk.engine.view(desk.at)
        terminal = Terminal(
            view=lambda view=view: view,
            speed=lambda: 1.0,
            fixtures=fixtures,
            stream=StringIO(),
            live=False,
        )
        card = terminal._card(100)
        assert_shown_safely(OWN_COLOURS.sub("", card))
        assert_shown_safely(status_line(view, 1.0))
