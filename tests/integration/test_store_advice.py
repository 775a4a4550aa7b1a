"""What advice cost and who answered is known again after a restart (L16, L17)."""

from collections.abc import AsyncIterator
from decimal import Decimal

import asyncpg
import msgspec
import pytest
from store_parts import AT, asked, decided

from simple_trader.adapters.store.advice_history import read_advice_history
from simple_trader.adapters.store.facts import read_facts
from simple_trader.adapters.store.rows import runs_of
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LlmCallRow, SnapshotRow

D = Decimal
PARAMS = '{"answers":"tools","model":"gpt"}'


@pytest.fixture
async def sql(database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


def call(number: int, **changed: object) -> LlmCallRow:
    """A call to a provider of the configuration."""
    row = next(row for row in asked(number) if isinstance(row, LlmCallRow))
    given = {
        "provider": "openai", "model": "gpt-1", "params": PARAMS, "cost_usd": D("0.01"),
        "budget_tokens": 15, "budget_usd": D("0.01"),
    }  # fmt: skip
    return msgspec.structs.replace(row, **(given | changed))


async def insert(sql: "asyncpg.Connection[asyncpg.Record]", row: LlmCallRow, age: str) -> None:
    """Write a row that the database wrote so long ago."""
    for statement, rows in runs_of([(AT, [row])]):
        await sql.executemany(statement.sql, rows)
    change = "UPDATE llm_calls SET recorded_at = now() - $1::text::interval WHERE call_id = $2"
    await sql.execute(change, age, row.call_id)


async def test_l17_a_start_knows_what_the_last_day_cost_but_for_the_stand_in(
    sql: "asyncpg.Connection[asyncpg.Record]", database: str
) -> None:
    await insert(sql, call(1), "0 s")
    await insert(
        sql,
        call(2, tokens_in=0, tokens_out=0, cost_usd=None, budget_tokens=9_000, budget_usd=D("0.4")),
        "0 s",
    )
    await insert(sql, call(3, budget_usd=D("0.5")), "23 h")
    await insert(sql, call(4), "25 h")
    await insert(sql, call(5, provider="sandbox", budget_tokens=0, budget_usd=D(0)), "1 s")
    spent = sorted((await read_advice_history(database)).spent, key=lambda one: one.age_s)
    young = [one for one in spent if one.age_s < 3600]
    assert sum(one.tokens for one in young) == 9_015
    assert sum((one.usd for one in young), D(0)) == D("0.41")
    (old,) = [one for one in spent if one.age_s >= 3600]
    assert (old.tokens, old.usd) == (15, D("0.5"))
    assert 23 * 3600 <= old.age_s <= 23 * 3600 + 120


async def test_l16_a_start_knows_as_which_model_each_provider_answered_last(
    sql: "asyncpg.Connection[asyncpg.Record]", database: str
) -> None:
    await insert(sql, call(1, model="gpt-1"), "3 days")
    await insert(sql, call(2, model="gpt-2"), "2 days")
    await insert(sql, call(3, model="gpt-9", reason=Reason.ADVICE_FAILED), "1 day")
    await insert(sql, call(4, provider="other", model="o-1"), "1 day")
    await insert(sql, call(5, provider="other", model="o-2", params="{}"), "1 h")
    named = (await read_advice_history(database)).named
    assert named == {("openai", "gpt"): "gpt-2", ("other", "gpt"): "o-1"}


async def test_an_empty_book_of_calls_is_no_trouble(database: str) -> None:
    history = await read_advice_history(database)
    assert (history.spent, dict(history.named)) == ((), {})


async def test_l17_a_start_knows_of_questions_whose_end_nobody_wrote_down(
    sql: "asyncpg.Connection[asyncpg.Record]", database: str
) -> None:
    """A daemon that dies at each question must not ask for ever without any counting."""
    for number in (1, 2, 3, 4):
        rows = [row for row in asked(number) if isinstance(row, SnapshotRow)]
        ended = [
            msgspec.structs.replace(
                decided(number, "hold"), call_id=None, reason=Reason.INTERRUPTED
            )
        ]  # the newest has no decision yet
        for statement, values in runs_of([(AT, [*rows, *(ended if number < 4 else ())])]):
            await sql.executemany(statement.sql, values)
    await insert(sql, call(1), "0 s")  # its answer came, its decision did not
    await sql.execute(
        "UPDATE ai_decisions SET recorded_at = now() - interval '25 h' WHERE cycle_id = 'c2'"
    )
    cut_off = (await read_advice_history(database)).cut_off
    assert len(cut_off) == 2, "the third and the newest"
    assert all(0 <= age_s < 60 for age_s in cut_off)
    await insert(sql, call(9, provider="", reason=Reason.ADVICE_TIMEOUT, budget_tokens=0), "0 s")
    assert len((await read_advice_history(database)).cut_off) == 3


async def test_a_failed_shadow_is_not_told_as_the_advisor_that_is_traded_on(
    sql: "asyncpg.Connection[asyncpg.Record]", database: str
) -> None:
    await insert(sql, call(1, error="the key is refused"), "0 s")
    for number in range(2, 30):
        await insert(sql, call(number, advisor="terse", error="too slow"), "0 s")
    facts = await read_facts(database)
    assert (facts.failed_calls, facts.call_error) == (1, "the key is refused")
    assert (facts.failed_shadow_calls, facts.shadow_error) == (20, "terse: too slow")
