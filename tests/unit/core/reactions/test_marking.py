"""Marking: claims written down before outcomes, the first price at or after the horizon, once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from brain_desk import BTC, ETH, T0, D, Desk, candle, quote, records, say, settings
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from mark_parts import shadow_row

from simple_trader.core.engine import Engine
from simple_trader.core.reactions.marking import open_marks
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.marks import (
    CounterfactualRow,
    DecisionMarkRow,
    MarkMemory,
    MarkOutcomeRow,
    MarkSource,
    OpenMark,
)
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow

HORIZONS = settings(model_horizons=(1, 2))
SOURCE = MarkSource(provider="test", model="test", template_hash="t")


def desk(**changes: Any) -> Desk:
    """An open desk with horizons of 15 and 30 minutes."""
    found = Desk()
    found.open(settings=HORIZONS, **changes)
    return found


def see(at: Desk, price: str, after_s: float = 0.0, pair: str = BTC) -> list[a.Action]:
    """A quote of BTC, so much later."""
    bid, ask = D(price) - D("0.5"), D(price) + D("0.5")
    at.at += timedelta(seconds=after_s)
    return at.do(e.QuoteSeen(quote=quote(pair, str(bid), str(ask), at.at)))


def opened(actions: list[a.Action], pair: str = BTC) -> dict[int, OpenMark]:
    """Marks of a pair by horizon."""
    marks = [row.mark for row in records(actions, DecisionMarkRow) if row.mark.pair == pair]
    return {mark.horizon_s: mark for mark in marks}


def test_every_decision_is_written_down_at_each_horizon_before_its_outcome() -> None:
    at = desk()
    told = at.advise(say(BTC, "buy"), say(ETH, "hold"))
    marks = opened(told)
    assert set(marks) == {900, 1800}
    assert [marks[s].is_own for s in (900, 1800)] == [False, True]
    one = marks[900]
    assert (one.action, one.verdict, one.confidence) == ("buy", "approved", 0.9)
    assert (one.mid, one.decided_at, one.due_at) == (D(50000), at.at, at.at + timedelta(minutes=15))
    assert one.cost_pct == (2 * D("0.004") + D(1) / D(50000)) * 100
    assert one.source == SOURCE
    assert one.done_value > 0
    held = opened(told, ETH)[900]
    assert (held.action, held.wanted_side, held.wanted_value) == ("hold", None, D(200))
    assert records(told, MarkOutcomeRow) == []


def test_i_42_the_first_quote_at_or_after_the_horizon_marks_and_no_other() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "hold"))
    assert records(see(at, "60000", 899.9), MarkOutcomeRow) == []
    (outcome,) = records(see(at, "51000", 0.1), MarkOutcomeRow)
    assert outcome.outcome_mid == D(51000)
    assert outcome.mid_at == at.at
    assert outcome.roi_pct == 2.0
    assert outcome.is_right == 1
    assert records(see(at, "70000", 1), MarkOutcomeRow) == []


def test_a_crossed_quote_marks_nothing() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "hold"))
    at.at += timedelta(seconds=900)
    crossed = at.do(e.QuoteSeen(quote=quote(BTC, "51000", "50999", at.at)))
    assert records(crossed, MarkOutcomeRow) == []
    assert len(records(see(at, "51000"), MarkOutcomeRow)) == 1


def test_i_42_a_quote_that_waited_is_of_its_own_moment_and_marks_nothing_due_after_it() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "hold"))
    due = at.at + timedelta(seconds=900)
    at.at = due + timedelta(seconds=20)
    queued = quote(BTC, "60000", "60001", due - timedelta(seconds=1))
    assert records(at.do(e.QuoteSeen(quote=queued)), MarkOutcomeRow) == []
    on_the_wire = quote(BTC, "60000", "60001", at.at, venue_at=due - timedelta(seconds=1))
    assert records(at.do(e.QuoteSeen(quote=on_the_wire)), MarkOutcomeRow) == []
    first = quote(BTC, "50999.5", "51000.5", at.at, venue_at=due + timedelta(seconds=2))
    (outcome,) = records(at.do(e.QuoteSeen(quote=first)), MarkOutcomeRow)
    assert (outcome.outcome_mid, outcome.mid_at) == (D(51000), due + timedelta(seconds=2))
    assert outcome.scored_at == at.at


def test_i_42_a_venue_whose_clock_is_ahead_marks_nothing_early() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "hold"))
    at.at += timedelta(seconds=899)
    ahead = quote(BTC, "60000", "60001", at.at, venue_at=at.at + timedelta(seconds=3))
    assert records(at.do(e.QuoteSeen(quote=ahead)), MarkOutcomeRow) == []


@pytest.mark.parametrize(("old_s", "is_void"), [(59.9, False), (60, True)])
def test_a_decision_on_a_price_over_a_minute_old_is_written_down_and_void_at_once(
    old_s: float, is_void: bool
) -> None:
    at = desk()
    at.at += timedelta(seconds=old_s)
    told = at.advise(say(BTC, "buy"), say(ETH, "hold"))
    assert set(opened(told)) == {900, 1800}
    voided = [row for row in records(told, MarkOutcomeRow) if row.void_reason]
    assert len(voided) == (4 if is_void else 0)
    assert {row.void_reason for row in voided} <= {Reason.MARK_STALE}
    assert len(records(see(at, "51000", 900), MarkOutcomeRow)) == (0 if is_void else 1)


def test_a_gap_longer_than_one_more_horizon_is_void_with_a_reason() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "hold"))
    at.at += timedelta(seconds=1800)
    assert records(at.timer("risk_check"), MarkOutcomeRow) == []
    at.at += timedelta(seconds=1)
    void = records(at.timer("risk_check"), MarkOutcomeRow)
    assert [row.mark_id.split("/")[1] for row in void] == ["900", "900"]
    assert {row.void_reason for row in void} == {Reason.MARK_GAP}
    assert {row.is_right for row in void} == {None}
    assert len(records(see(at, "51000"), MarkOutcomeRow)) == 1  # the longer horizon still can


def test_a_quote_that_comes_too_late_voids_too() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "hold"))
    late = {
        row.mark_id.split("/")[1]: row for row in records(see(at, "51000", 1801), MarkOutcomeRow)
    }
    assert late["900"].void_reason is Reason.MARK_GAP
    assert late["1800"].is_right == 1


def test_confidence_is_learned_at_the_own_horizon_of_a_trade_alone() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "hold"))
    calibration = at.engine.state.calibration
    see(at, "51000", 900)
    assert calibration.marks(SOURCE) == 0
    see(at, "51000", 900)
    see(at, "2100", 0, ETH)
    assert calibration.marks(SOURCE) == 1
    assert at.engine.state.calibration.tallies["test\ntest\nt"].right == {90: 1}


def test_an_answer_used_again_is_marked_each_time_and_learned_from_once() -> None:
    at = Desk()
    at.open(settings=settings(model_horizons=(1, 2), advice_reuse_s=900, aggregator_interval_s=60))
    told = [at.advise(say(BTC, "buy", 0.5), say(ETH, "hold"))]
    for _ in range(14):
        at.at += timedelta(seconds=60)
        at.quotes()
        told.append(at.timer("aggregate"))
    own = [mark for mark in (opened(actions)[120] for actions in told) if mark.is_own]
    assert [mark.is_repeat for mark in own] == [False] + [True] * 14
    assert {mark.confidence for mark in own} == {0.5}
    reused = [row.reused_from for actions in told for row in records(actions, DecisionRow)]
    assert [name is not None for name in reused] == [False] * 2 + [True] * 28
    for _ in range(3):
        at.at += timedelta(seconds=60)
        at.quotes()
    outcomes = [row for _, actions in at.log for row in records(actions, MarkOutcomeRow)]
    missed = [row for _, actions in at.log for row in records(actions, CounterfactualRow)]
    assert len(outcomes) == len({row.mark_id for row in outcomes}) == 15 * 2 * 2
    assert len(missed) == 15 * 2, "what each decision came to in money is still told"
    assert at.engine.state.calibration.marks(SOURCE) == 1


def test_a_vetoed_wish_and_a_hold_are_told_in_money_at_the_own_horizon() -> None:
    at = desk()
    at.advise(say(BTC, "buy", confidence=0.5), say(ETH, "hold"))
    assert records(see(at, "49000", 900), CounterfactualRow) == []
    (veto,) = records(see(at, "49000", 900), CounterfactualRow)
    (held,) = records(see(at, "2100", 0, ETH), CounterfactualRow)
    assert (veto.kind, veto.reason, veto.side) == (
        "vetoed",
        Reason.CONFIDENCE_TOO_LOW,
        Side.BUY,
    )
    assert veto.wanted_value > 0
    assert veto.done_value == 0
    assert veto.effect == -veto.wanted_pnl > 0
    assert (held.kind, held.wanted_value) == ("held", D(200))
    assert held.effect < 0


def test_a_sale_of_what_is_not_held_missed_nothing() -> None:
    at = desk()
    told = at.advise(say(BTC, "sell"), say(ETH, "hold"))
    assert opened(told)[1800].wanted_value == 0
    (row,) = records(see(at, "40000", 1800), CounterfactualRow)
    assert (row.reason, row.effect) == (Reason.NOTHING_TO_SELL, 0)


def test_a_sale_is_wished_for_at_most_what_is_held() -> None:
    at = desk()
    bought = at.hold()
    at.next_candle()
    told = at.advise(say(BTC, "sell"), say(ETH, "hold"))
    mark = opened(told)[1800]
    assert mark.wanted_value is not None
    assert mark.wanted_value <= bought.qty * D(50000)
    assert mark.done_value > 0


def test_the_past_move_is_of_the_same_length() -> None:
    begin = T0 - timedelta(minutes=40)
    closes = tuple(
        candle(BTC, begin + timedelta(minutes=n), str(40000 + 100 * n)) for n in range(40)
    )
    at = desk(candles=closes)
    marks = opened(at.advise(say(BTC, "buy"), say(ETH, "hold")))
    ends = {s: 40000 + 100 * (39 - s // 60) for s in (900, 1800)}
    for horizon_s, close in ends.items():
        assert marks[horizon_s].past_roi_pct == pytest.approx((50000 - close) / close * 100)
    assert opened(at.log[-1][1], ETH)[900].past_roi_pct is None


def test_a_shadow_is_marked_the_same_way_with_no_money_of_the_gate() -> None:
    at = desk()
    row = shadow_row(decided_at=at.at, horizon_minutes=20.0)
    source = MarkSource(provider="test", model="test", template_hash="t", advisor="second")
    told = open_marks(at.engine.state, row, source, at.at)
    assert set(opened(told)) == {900, 1200, 1800}
    assert [mark.horizon_s for mark in opened(told).values() if mark.is_own] == [1200]
    seen = see(at, "51000", 1200)
    assert len(records(seen, MarkOutcomeRow)) == 2
    assert records(seen, CounterfactualRow) == []
    assert at.engine.state.calibration.marks(SOURCE) == 1


@pytest.mark.parametrize(("minutes", "horizon_s"), [(0.01, 60), (20.0, 1200), (1e9, 604_800)])
def test_an_own_horizon_stays_in_bounds(minutes: float, horizon_s: int) -> None:
    at = desk()
    row = shadow_row(decided_at=at.at, horizon_minutes=minutes)
    marks = opened(open_marks(at.engine.state, row, SOURCE, at.at))
    assert [mark.horizon_s for mark in marks.values() if mark.is_own] == [horizon_s]


def test_a_pair_without_a_price_opens_no_mark() -> None:
    at = Desk()
    at.start(settings=HORIZONS)
    assert open_marks(at.engine.state, shadow_row(), SOURCE, at.at) == []


def test_a_restart_between_decision_and_horizon_loses_no_mark() -> None:
    before = desk()
    told = before.advise(say(BTC, "buy"), say(ETH, "hold"))
    rows = tuple(row.mark for row in records(told, DecisionMarkRow))
    again = Desk(before.at + timedelta(seconds=1000))
    again.start(settings=HORIZONS, marks=MarkMemory(open=rows))
    (late,) = records(see(again, "51000"), MarkOutcomeRow)
    assert late.mark_id == opened(told)[900].mark_id
    assert late.mid_at == again.at  # honest: 100 s after it was due, and said so
    assert late.is_right == 1


def test_replay_from_a_snapshot_makes_the_same_marks_and_calibration() -> None:
    at = desk()
    at.advise(say(BTC, "buy"), say(ETH, "sell"))
    middle = Engine.restore(at.engine.snapshot())
    events = []
    for price in ("50500", "51000", "52000"):
        at.at += timedelta(seconds=900)
        for pair in (BTC, ETH):
            at.do(e.QuoteSeen(quote=quote(pair, price, str(D(price) + 1), at.at)))
            events.append(at.log[-1])
    for stamped, actions in events:
        assert middle.process(stamped) == actions
    assert middle.snapshot() == at.engine.snapshot()
    assert middle.state.calibration.marks(SOURCE) == 2


steps = st.lists(
    st.tuples(st.integers(1, 1500), st.integers(40_000, 60_000), st.sampled_from("qqqqct")),
    min_size=1,
    max_size=12,
)


def expected(decided: datetime, horizon_s: int, quotes: list[tuple[datetime, int]]) -> Any:
    """What a mark must say: the first whole quote at or after its horizon; else None."""
    due = decided + timedelta(seconds=horizon_s)
    for at, price in quotes:
        if at >= due:
            return price if at <= due + timedelta(seconds=horizon_s) else Reason.MARK_GAP
    return None


@examples(max_examples=60)
@given(steps)
def test_i_42_whatever_comes_each_mark_is_settled_once_by_the_first_price(
    moves: list[tuple[int, int, str]],
) -> None:
    at = desk()
    decided = at.at
    ids = {mark.mark_id: s for s, mark in opened(at.advise(say(BTC, "buy"))).items()}
    quotes: list[tuple[datetime, int]] = []
    outcomes: list[MarkOutcomeRow] = []
    for seconds, price, kind in moves:
        if kind == "q":
            told = see(at, str(price), seconds)
            quotes.append((at.at, price))
        else:
            at.at += timedelta(seconds=seconds)
            crossed = e.QuoteSeen(quote=quote(BTC, str(price), str(price - 1), at.at))
            told = at.timer("risk_check") if kind == "t" else at.do(crossed)
        outcomes += [row for row in records(told, MarkOutcomeRow) if row.mark_id in ids]
    assert len({row.mark_id for row in outcomes}) == len(outcomes)
    for row in outcomes:
        said = expected(decided, ids[row.mark_id], quotes)
        if row.void_reason is None:
            assert row.outcome_mid == said
        else:
            assert said in {Reason.MARK_GAP, None}
