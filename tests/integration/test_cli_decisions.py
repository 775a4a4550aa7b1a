"""The commands `decisions` and `decisions ID`, and that stored rows alone make the prompt again."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from click import unstyle
from store_parts import booked, decided, moment, order
from store_story import batches, running, story
from typer.testing import CliRunner

from simple_trader.adapters.store.decision_facts import Sought, decisions, stories
from simple_trader.cli import app
from simple_trader.cli.decision_screen import WIDTH, mark_words, screen
from simple_trader.cli.decisions import result
from simple_trader.domain import records as r
from simple_trader.domain.errors import TraderError
from simple_trader.domain.marks import (
    CounterfactualRow,
    DecisionMarkRow,
    MarkOutcomeRow,
    MarkSource,
    OpenMark,
)
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason

SOURCE = MarkSource(provider="sandbox", model="stand-in", template_hash="b")


def mark(number: int, horizon_s: int, *, own: bool = False) -> OpenMark:
    """A mark of decision `number`."""
    return OpenMark(
        mark_id=f"d{number}-{horizon_s}",
        decision_id=f"d{number}",
        source=SOURCE,
        pair="BTC/USD",
        decided_at=moment(number),
        due_at=moment(number) + timedelta(seconds=horizon_s),
        horizon_s=horizon_s,
        is_own=own,
        is_repeat=False,
        action="buy",
        verdict="refused",
        reason=Reason.NO_FUNDS,
        confidence=0.8,
        expected_move_pct=1.0,
        mid=Decimal("132.45"),
        cost_pct=Decimal("0.8755"),
        past_roi_pct=None,
        wanted_side=Side.BUY,
        wanted_value=Decimal(100),
        done_value=Decimal(0),
    )


def outcome(number: int, horizon_s: int) -> MarkOutcomeRow:
    """What it came to: up by two percent."""
    at = moment(number) + timedelta(seconds=horizon_s)
    return MarkOutcomeRow(
        mark_id=f"d{number}-{horizon_s}",
        outcome_mid=Decimal("135.099"),
        mid_at=at,
        roi_pct=2.0,
        net_roi_pct=1.1245,
        is_right=1,
        void_reason=None,
        scored_at=at,
    )


def missed(number: int) -> CounterfactualRow:
    """What its refusal cost."""
    return CounterfactualRow(
        decision_id=f"d{number}",
        pair="BTC/USD",
        provider="sandbox",
        model="stand-in",
        template_hash="b",
        decided_at=moment(number),
        horizon_s=900,
        kind="vetoed",
        reason=Reason.NO_FUNDS,
        side=Side.BUY,
        wanted_value=Decimal(100),
        done_value=Decimal(0),
        roi_pct=2.0,
        cost_pct=Decimal("0.8755"),
        wanted_pnl=Decimal("1.1245"),
        done_pnl=Decimal(0),
        effect=Decimal("-1.1245"),
        scored_at=moment(number + 900),
    )


@pytest.fixture
async def filled(database: str) -> str:
    """Seven decisions, every third refused; the third is marked, the fifth said everything."""
    more: list[r.LedgerRecord] = [
        DecisionMarkRow(mark=mark(3, 900)),
        DecisionMarkRow(mark=mark(3, 1800, own=True)),
        outcome(3, 900),
        missed(3),
        msgspec.structs.replace(
            decided(5),
            price_target=Decimal("140.5"),
            stop_loss=Decimal("130"),
            expected_move_pct=5.5,
            horizon_minutes=90.0,
            bias_allocation=0.5,
            sentiment=-0.25,
            wanted_side=Side.BUY,
            wanted_value=Decimal("159.60"),
            sized_qty=Decimal("0.01000000"),
            size_confidence=0.7,
            reused_from="q5",
            expected_move_used_pct=5.5,
            cost_pct=Decimal("0.8755"),
            rationale="up \x1b[2J and\naway " + "word " * 80,
        ),
    ]
    async with running(database) as (lane, ticks, recovered):
        for batch in batches([*story(7, recovered.epoch), tuple(more)]):
            lane.put(batch)
        await ticks.reach(batch.seq)
        await lane.close()
    connection = await asyncpg.connect(database)
    await connection.execute(
        "UPDATE llm_calls SET cost_usd = 0.03 WHERE call_id = 'q5';"
        "INSERT INTO llm_calls SELECT (x.r).* FROM (SELECT jsonb_populate_record(c, "
        '\'{"call_id": "q5.1", "provider": "first", "error": "HTTP 500", '
        '"reason": "advice_failed", "cost_usd": 0.01, "status": 500}\') AS r '
        "FROM llm_calls AS c WHERE c.call_id = 'q5') AS x;"
        "UPDATE llm_calls SET attempt = 2 WHERE call_id = 'q5'"
    )
    await connection.close()
    return database


async def invoke(dsn: str, state: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("POSTGRES_DSN", dsn)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    whole = ["decisions", *arguments, "--state-dir", str(state)]
    return await asyncio.to_thread(CliRunner().invoke, app, whole)


async def test_the_list_finds_by_pair_verdict_reason_and_time(filled: str) -> None:
    async def ids(**sought: Any) -> list[str]:
        return [row["decision_id"] for row in await decisions(filled, Sought(**sought))]

    assert await ids() == [f"d{number}" for number in range(7, 0, -1)]
    assert await ids(limit=2) == ["d7", "d6"]
    assert await ids(verdict="refused") == ["d6", "d3"]
    assert await ids(reason="no_funds", limit=1) == ["d6"]
    assert await ids(pair="ETH/USD") == []
    assert await ids(since=moment(6)) == ["d7", "d6"]
    assert await ids(last_s=2.0) == ["d7", "d6", "d5"]
    assert await ids(verdict="approved", since=moment(3), last_s=3.0) == ["d7", "d5", "d4"]


async def test_one_decision_is_found_by_its_own_id_and_those_around_it(filled: str) -> None:
    for name in ("d5", "c5", "q5", "stx-5", "O5"):
        (story_,) = await stories(filled, name)
        assert story_.row["decision_id"] == "d5", name
    assert await stories(filled, "nothing") == []
    assert [call["call_id"] for call in story_.calls] == ["q5.1", "q5"]
    assert story_.row["cost_usd"] == Decimal("0.04")
    assert [fill["exec_id"] for fill in story_.fills] == ["T5-buy"]


async def test_the_list_says_what_came_of_each(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await invoke(filled, tmp_path, monkeypatch)
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert all(len(line) <= WIDTH for line in lines)
    (third,) = [line for line in lines if line.endswith("  d3")]
    assert "refused no_funds" in third
    assert "+2.00% 15m right" in third  # its own horizon is still open
    assert "missed 1.12" in third
    (fifth,) = [line for line in lines if line.endswith("  d5")]
    assert "buy 80% low*" in fifth
    assert "traded, filled" in fifth
    assert "1.32" in fifth
    assert "7 decisions: 5 approved, 2 refused" in shown.output
    none = await invoke(filled, tmp_path, monkeypatch, "--pair", "eth/usd")
    assert none.output == "No such decision.\n"
    for faulty in (("--verdict", "maybe"), ("--since", "yesterday")):
        assert (await invoke(filled, tmp_path, monkeypatch, *faulty)).exit_code == 2


async def test_one_screen_shows_all_from_the_snapshot_to_the_money(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await invoke(filled, tmp_path, monkeypatch, "stx-5")
    assert shown.exit_code == 0, shown.output
    text = " ".join(shown.output.split())
    assert all(len(line) <= WIDTH for line in shown.output.splitlines())
    assert "\x1b" not in shown.output  # neither colours for a pipe nor what the model wrote
    for part in (
        "APPROVED traded",
        (
            "buy, confidence 80 %, risk low, expects +5.50 %, within 90 min, target 140.5, "
            "stop 130, allocation +0.50, sentiment -0.25"
        ),
        "up \\x1b[2J and\\naway word",
        (
            "move +5.50 % against a round trip of 0.88 %, wanted buy of 159.60 USD, "
            "sized by confidence 70 %, came to 0.01 BTC"
        ),
        "s5 as of 2013-10-06 21:30:05Z, newest event 0.0 s before",
        "cash 99.0 % of equity, holding 1.0 %, unrealised -1.50 %",
        "in 15 minutes 62.5 % (unproven)",
        "momentum rsi_14 55.5",
        '[the advisor] say "yes" € 1',
        "USED AGAIN",
        "0.0400 USD",
        "try 1 first (stand-in), HTTP 500: advice_failed, HTTP 500",
        "| What now?",
        '| {"action": "buy"}',
        "stx-5 (O5): buy 0.01 BTC at 132.5, limit: FILLED (filled)",
        "T5-buy: 0.01 at 132.4 = 1.32 USD, fee 0.0053, taker",
        "paid 1.33 USD with fees; 0.01 BTC held",
    ):
        assert part in text, part
    refused = await invoke(filled, tmp_path, monkeypatch, "d3")
    text = " ".join(refused.output.split())
    assert "mid 132.45 -> 135.099, +2.00 %; the action +1.12 % after a round trip: right" in text
    assert "30 min: known from 2013-10-06 22:00:03Z" in text
    assert "the wish would have made +1.12 USD, so the gates cost 1.12 USD" in text
    unknown = await invoke(filled, tmp_path, monkeypatch, "d99")
    assert isinstance(unknown.exception, TraderError)


async def test_json_gives_every_field_and_exact_numbers(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = json.loads((await invoke(filled, tmp_path, monkeypatch, "--json")).output)
    assert [row["decision_id"] for row in listed] == [f"d{number}" for number in range(7, 0, -1)]
    (one,) = json.loads((await invoke(filled, tmp_path, monkeypatch, "d5", "--json")).output)
    assert one["row"]["wanted_value"] == "159.60"
    assert one["row"]["prompt"] == "What now?"
    assert one["fills"][0]["cost"] == "1.32400"


async def test_a_sale_shows_what_it_realised(database: str, tmp_path: Path) -> None:
    sold = booked(1)
    trade = next(row for row in sold if isinstance(row, r.TradeRow))
    fill = msgspec.structs.replace(trade.fill, side=Side.SELL, exec_id="T1-sell")
    request = msgspec.structs.replace(order(1).request, side=Side.SELL)
    rows = (
        msgspec.structs.replace(decided(1), action="sell"),
        r.IntentRow(order=order(1, request=request, params_hash=""), epoch=1),
        r.TradeRow(fill=fill, realised_pnl=Decimal("-0.25")),
    )
    async with running(database) as (lane, ticks, _):
        for batch in batches([rows]):
            lane.put(batch)
        await ticks.reach(batch.seq)
    (row,) = await decisions(database, Sought())
    assert (row["side"], row["realised_pnl"], row["left_qty"]) == ("sell", Decimal("-0.25"), None)
    assert result(row) == "-0.25"
    (told,) = await stories(database, "d1")
    text = unstyle(" ".join(" ".join(screen(told, full=False)).split()))
    assert "taker, realised -0.25 USD" in text
    assert "-0.25 USD after fees" in text
    assert "snapshot none: nothing was shown" in text


def test_a_hold_is_judged_by_the_size_of_the_move_not_by_a_return() -> None:
    mids: dict[str, Any] = {"mid": Decimal(100), "outcome_mid": Decimal(102)}
    moved = mids | {"void_reason": None, "roi_pct": 2.0, "is_right": False}
    assert mark_words(moved, is_hold=True).endswith(
        "more than a round trip costs, so to hold was wrong"
    )
    still = moved | {"outcome_mid": Decimal(100), "roi_pct": 0.0, "is_right": True}
    assert mark_words(still, is_hold=True).endswith(
        "less than a round trip costs, so to hold was right"
    )
