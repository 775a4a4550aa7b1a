"""Marks in a real database: rows, what a start goes on from, and the scorecard read from them."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from brain_desk import BTC, ETH, D, Desk, advice_text, only, quote, records, say, settings
from mark_parts import shadow_row
from store_parts import moment

from simple_trader.adapters.store.named_sql import named
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.adapters.store.scorecard import read_marks
from simple_trader.cli.scorecard import make_report
from simple_trader.cli.scorecard_text import lines
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.marks import (
    CounterfactualRow,
    DecisionMarkRow,
    MarkOutcomeRow,
    MarkSource,
    OpenMark,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import (
    DecisionRow,
    LedgerRecord,
    LlmCallRow,
    LotRow,
    TradeRow,
)

KEPT = (
    DecisionMarkRow,
    MarkOutcomeRow,
    CounterfactualRow,
    DecisionRow,
    LlmCallRow,
    LotRow,
    TradeRow,
)


def lived(cycles: int) -> Desk:
    """An engine that decided each quarter of an hour and saw prices move by 2 % up and down."""
    desk = Desk()
    desk.open(settings=settings(model_horizons=(1, 2)))
    for number in range(cycles):
        price = 50_000 if number % 2 else 51_000
        for pair in (BTC, ETH):
            seen = e.QuoteSeen(quote=quote(pair, str(price), str(price + 1), desk.at))
            desk.do(seen)
        confidence = 0.75 if number % 3 else 0.6
        told = say(BTC, "buy", confidence) | {"expected_move_pct": 1.5}
        desk.advise(told, say(ETH, "hold"))
        desk.at += timedelta(minutes=15)
    return desk


def lived_on_few_answers(cycles: int) -> Desk:
    """An engine that decides each minute and uses an answer for a quarter of an hour."""
    desk = Desk()
    desk.open(
        settings=settings(model_horizons=(1, 2), advice_reuse_s=900, aggregator_interval_s=60)
    )
    for _ in range(cycles):
        begun = desk.timer("aggregate")
        asked = [action for action in begun if isinstance(action, a.AskAdvice)]
        if asked:
            told = say(BTC, "buy", 0.6) | {"expected_move_pct": 1.5}
            desk.answer(asked[0], advice_text(told, say(ETH, "hold")))
        desk.at += timedelta(minutes=1)
        desk.quotes()
    return desk


def rows_of(desk: Desk) -> Iterator[tuple[Any, list[LedgerRecord]]]:
    """What the engine remembered of decisions and marks, event by event."""
    for stamped, actions in desk.log:
        kept = [action.record for action in actions if isinstance(action, a.Remember)]
        yield stamped.at, [record for record in kept if isinstance(record, KEPT)]


async def keep(dsn: str, desk: Desk) -> None:
    """Write it all, in order, as one transaction."""
    records_ = [record for _, kept in rows_of(desk) for record in kept]
    await Recovery(dsn, boot_seconds=1).mirror(records_, at=desk.at)


def waiting(desk: Desk) -> list[OpenMark]:
    marks = [mark for group in desk.engine.state.marks.by_pair.values() for mark in group]
    return sorted(marks, key=lambda mark: (mark.due_at, mark.decided_at, mark.mark_id))


async def test_open_marks_and_calibration_are_recovered_as_they_were(database: str) -> None:
    desk = lived(12)
    await keep(database, desk)
    found = (await Recovery(database, boot_seconds=2).rehearse()).marks
    assert list(found.open) == waiting(desk)
    assert len(found.open) > 0
    again = Desk()
    again.start(marks=found)
    assert again.engine.state.calibration == desk.engine.state.calibration
    source = MarkSource(provider="test", model="test", template_hash="t")
    assert again.engine.state.calibration.marks(source) == 10


async def test_a_restart_learns_nothing_from_an_answer_that_was_used_again(database: str) -> None:
    desk = lived_on_few_answers(48)
    await keep(database, desk)
    found = (await Recovery(database, boot_seconds=2).rehearse()).marks
    assert list(found.open) == waiting(desk)
    assert {mark.is_repeat for mark in found.open} == {True}
    again = Desk()
    again.start(marks=found)
    source = MarkSource(provider="test", model="test", template_hash="t")
    for engine in (desk.engine, again.engine):
        assert engine.state.calibration.marks(source) == 4
    connection = await asyncpg.connect(database)
    scored = await connection.fetchval(
        "SELECT count(*) FROM decision_marks WHERE is_own AND is_right IS NOT NULL AND pair = $1",
        BTC,
    )
    missed = await connection.fetchval("SELECT count(*) FROM counterfactuals WHERE pair = $1", BTC)
    await connection.close()
    assert scored == missed == 47, "what each decision came to is still told"


async def test_the_scorecard_counts_an_answer_once_and_says_what_it_left_out(database: str) -> None:
    await keep(database, lived_on_few_answers(48))
    report = make_report(await read_marks(database, None), draws=100, seed=1)
    (source,) = report["sources"]
    assert (source["decisions"], source["repeats"]) == (96, 88)
    own = source["cards"][0]
    assert (own.trades, own.repeats) == (47, 43 + 43)
    assert own.direction.count == own.confidence.count == own.magnitude.count == 4
    assert own.profit.trades == 47
    text = list(lines(report, full=False))
    again = "88 of them used an earlier answer again: left out of confidence and direction"
    assert f"   repeats    {again}" in text


async def test_an_outcome_is_written_once_and_a_void_one_has_its_reason(database: str) -> None:
    desk = Desk()
    desk.open(settings=settings(model_horizons=(1,)))
    desk.advise(say(BTC, "buy"), say(ETH, "hold"))
    desk.at += timedelta(seconds=1801)
    desk.timer("risk_check")
    await keep(database, desk)
    (outcome, _) = [row for _, kept in rows_of(desk) for row in kept if _is_outcome(row)]
    other = msgspec.structs.replace(outcome, is_right=1, roi_pct=1.0, void_reason=None)
    await Recovery(database, boot_seconds=1).mirror([other], at=desk.at)
    connection = await asyncpg.connect(database)
    rows = await connection.fetch("SELECT * FROM decision_marks")
    await connection.close()
    assert {row["void_reason"] for row in rows} == {"mark_gap"}
    assert {row["is_right"] for row in rows} == {None}


def _is_outcome(record: LedgerRecord) -> bool:
    return isinstance(record, MarkOutcomeRow)


async def test_a_mark_that_someone_spoilt_is_no_mark(database: str) -> None:
    await keep(database, lived(1))
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE decision_marks SET reason = 'because'")
    await connection.close()
    with pytest.raises(InvariantBroken, match="decision_marks"):
        await Recovery(database, boot_seconds=2).rehearse()


async def test_the_gate_is_told_in_money_by_reason_and_in_the_view_alike(database: str) -> None:
    desk = lived(12)
    await keep(database, desk)
    rows = [row for _, actions in desk.log for row in records(actions, CounterfactualRow)]
    vetoed = [row for row in rows if row.reason is Reason.CONFIDENCE_TOO_LOW]
    assert len(vetoed) == 4
    found = await read_marks(database, None)
    (told,) = [row for row in found.gate if row["reason"] == "confidence_too_low"]
    assert told["decisions"] == 4
    assert told["effect"] == sum(row.effect for row in vetoed) == told["saved"] - told["missed"]
    assert told["saved"] == sum(max(row.effect, D(0)) for row in vetoed)
    connection = await asyncpg.connect(database)
    (seen,) = await connection.fetch(
        "SELECT * FROM v_gate_ledger WHERE reason = 'confidence_too_low'"
    )
    await connection.close()
    assert {name: seen[name] for name in told} == told


async def test_a_loss_that_a_stop_ended_is_a_loss_of_the_advice_that_bought(database: str) -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.at += timedelta(minutes=1)
    desk.quotes(btc="45000")
    exit_order = only(desk.timer("risk_check"), a.PlaceOrder).approved.request
    desk.fill(exit_order, "E1", order_id="O1", trade_id=2)
    sale = records(desk.log[-1][1], TradeRow)[0]
    assert sale.realised_pnl < -10
    await keep(database, desk)
    (told,) = (await read_marks(database, None)).realised
    assert (told["realised_pnl"], told["purchases"], told["held"]) == (sale.realised_pnl, 1, 0)
    text = list(lines(make_report(await read_marks(database, None), draws=100, seed=1), full=False))
    lost = f"{sale.realised_pnl:+,.2f} USD after fees on what its 1 purchases bought"
    assert f"   realised   {lost}, whoever sold it" in text


async def test_the_scorecard_fits_100_columns_and_json_has_every_figure(database: str) -> None:
    desk = lived(70)
    await keep(database, desk)
    report = make_report(await read_marks(database, None), draws=200, seed=1)
    report["prices"] = (2.5, 10.0)
    text = list(lines(report, full=True))
    assert max(map(len, text)) <= 100
    assert any(line.startswith("== test / test, prompt t (trades)") for line in text)
    assert "No look-ahead: no recorded row knows anything of later." in text
    assert any("not enough data" in line for line in text)
    assert any(line.startswith("   would cost 0.0009 USD, 0.00001 per dec") for line in text)
    silent = report | {"sources": [dict(item) for item in report["sources"]]}
    for item in silent["sources"]:
        item["calls"] = item["calls"] | {"answered": 0}
    words = list(lines(silent, full=False))
    assert any(line.startswith("   decisions  140, all held: no answer came") for line in words)
    plain = json.loads(msgspec.json.encode(report))
    (source,) = plain["sources"]
    assert source["decisions"] == 140
    assert source["holds"] == 70
    assert source["calls"]["usable"] == 70
    own = source["cards"][0]
    assert (own["pair"], own["horizon_s"], own["trades"]) == ("", None, 68)
    # Up and down in turn: after 30 minutes the price is where it was, and fees are lost.
    assert own["right"] == 68
    assert own["direction"]["share"] == 0.0
    assert own["profit"]["mean_bps"] < 0
    assert own["magnitude"] == {"count": 68, "error_pct": 1.5, "ratio": None}
    quarter = source["cards"][1]
    assert (quarter["horizon_s"], quarter["magnitude"]["count"]) == (900, 69)
    assert quarter["magnitude"]["ratio"] > 0.5


async def test_only_the_last_days_are_judged_when_asked(database: str) -> None:
    await keep(database, lived(9))
    whole = await read_marks(database, None)
    part = await read_marks(database, 60 / 1440)
    assert sum(len(source.marks) for source in part.sources) < sum(
        len(source.marks) for source in whole.sources
    )
    assert whole.newest is not None
    assert part.oldest == whole.newest - timedelta(hours=1)
    assert (whole.days, part.days) == (None, 60 / 1440)
    shown = [
        list(lines(make_report(found, draws=100, seed=1), full=False)) for found in (whole, part)
    ]
    assert shown[0][0].startswith("Scorecard of all decisions: 2026-03-02 ")
    assert shown[1][0].startswith("Scorecard of the last 0.0416667 days: 2026-03-02 ")
    assert shown[1][1].endswith("; older decisions: --days all")
    younger = await read_marks(database, 30)
    assert (younger.days, younger.oldest) == (None, whole.oldest), "nothing was left out"


async def test_an_empty_world_has_no_marks_and_says_so(database: str) -> None:
    report = make_report(await read_marks(database, None), draws=100, seed=1)
    assert list(lines(report, full=False)) == [
        "No decision is marked yet: marks come when the horizon of a decision is over."
    ]


async def test_a_shadow_decision_is_a_row_of_its_own(database: str) -> None:
    row = shadow_row()
    store = Recovery(database, boot_seconds=1)
    await store.mirror([row], at=moment(1))
    await store.mirror([row], at=moment(1))
    connection = await asyncpg.connect(database)
    (seen,) = await connection.fetch("SELECT * FROM shadow_decisions")
    await connection.close()
    values = msgspec.structs.asdict(row)
    assert {name: seen[name] for name in values} == values


async def test_the_scorecard_reads_the_decisions_of_shadows_once_however_many_calls_there_are(
    database: str,
) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(_CALLS_OF_SHADOWS)
        await connection.execute(_SHADOW_DECISIONS)
        await connection.execute("ANALYZE llm_calls, shadow_decisions")
        explained = "EXPLAIN (ANALYZE, FORMAT JSON) " + named("scorecard_calls")
        plan = json.loads(await connection.fetchval(explained, None))
        found = await connection.fetchrow(named("scorecard_calls"), None)
    finally:
        await connection.close()
    assert found is not None
    assert (found["calls"], found["answered"], found["usable"]) == (300, 300, 200)
    assert _loops(plan[0]["Plan"], "shadow_decisions") == [1]


def _loops(node: dict[str, Any], table: str) -> list[int]:
    own = [node["Actual Loops"]] if node.get("Relation Name") == table else []
    return own + [count for inner in node.get("Plans", []) for count in _loops(inner, table)]


_CALLS_OF_SHADOWS = """
INSERT INTO llm_calls (
    call_id, cycle_id, asked_at, answered_at, provider, model, advisor_label, prompt_hash,
    template_hash, prompt, reply, kind, finish_reason, tokens_in, tokens_out, latency_ms, error,
    advisor, attempt, params, budget_tokens, budget_usd, at
)
SELECT 'q' || n, 'c' || n, now(), now(), 'p', 'm', '', '', '', '', '', 'content', 'stop', 1, 1, 1,
    '', 's', 1, '{}', 2, 0, now()
FROM generate_series(1, 300) AS n
"""
_SHADOW_DECISIONS = """
INSERT INTO shadow_decisions (
    shadow_id, advisor, provider, model, template_hash, cycle_id, pair, call_id, decided_at,
    action, rationale, verdict, reason, detail, config_hash, at
)
SELECT 'x' || n, 's', 'p', 'm', '', 'c' || n, 'BTC/USD', 'q' || n, now(), 'hold', '', 'hold',
    CASE WHEN n % 3 = 0 THEN 'advice_malformed' ELSE 'advised_hold' END, '', '', now()
FROM generate_series(1, 300) AS n
"""
