"""Call rows: one for each attempt, in their order, the last under the question's own id."""

from datetime import timedelta
from decimal import Decimal

from brain_desk import T0

from simple_trader.core.reactions.call_rows import Asked, arrived_rows, failed_rows
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.events.answers import CallTried
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LlmCallRow

ASKED = Asked(call_id="q7", cycle_id="c3", asked_at=T0, advisor="shadow")
AT = T0 + timedelta(seconds=9)
TRIED = (
    CallTried(
        provider="openai",
        model="gpt",
        reason=Reason.ADVICE_FAILED,
        error="429",
        raw='{"error": "slow down"}',
        status=429,
        params='{"temperature": 0.3}',
        latency_ms=120,
    ),
    CallTried(
        provider="cohere",
        model="command",
        reason=Reason.ADVICE_TIMEOUT,
        error="no answer in 5 s",
        tokens_in=900,
        latency_ms=5000,
        cost_usd=Decimal("0.002"),
        prompt="another prompt",
        prompt_hash="h2",
    ),
)


def rows(actions: list[a.Action]) -> list[LlmCallRow]:
    """The rows alone."""
    found = [x.record for x in actions if isinstance(x, a.Remember)]
    return [row for row in found if isinstance(row, LlmCallRow)]


def test_every_attempt_is_a_row_and_the_last_bears_the_questions_id() -> None:
    event = e.AdviceArrived(
        question_id="q7",
        prompt="prompt",
        prompt_hash="h",
        template_hash="t",
        raw="answer",
        kind="content",
        finish_reason="stop",
        provider="ollama",
        model="llama",
        advisor_label="llama",
        tokens_in=1000,
        tokens_out=50,
        latency_ms=800,
        status=200,
        cost_usd=Decimal("0.001"),
        tried=TRIED,
    )
    first, second, last = rows(arrived_rows(event, ASKED, AT))
    assert [x.call_id for x in (first, second, last)] == ["q7.1", "q7.2", "q7"]
    assert [x.attempt for x in (first, second, last)] == [1, 2, 3]
    assert {(x.cycle_id, x.advisor, x.asked_at, x.answered_at) for x in (first, second, last)} == {
        ("c3", "shadow", T0, AT)
    }
    assert (first.provider, first.status, first.reply, first.reason) == (
        "openai",
        429,
        '{"error": "slow down"}',
        Reason.ADVICE_FAILED,
    )
    assert (first.prompt, first.prompt_hash, first.params) == (
        "prompt",
        "h",
        '{"temperature": 0.3}',
    )
    assert (second.prompt, second.prompt_hash, second.tokens_in) == ("another prompt", "h2", 900)
    assert (second.cost_usd, second.error, second.finish_reason) == (
        Decimal("0.002"),
        "no answer in 5 s",
        "",
    )
    assert (last.reply, last.error, last.reason, last.cost_usd) == (
        "answer",
        "",
        None,
        Decimal("0.001"),
    )


def test_what_came_of_a_failed_question_is_kept_too() -> None:
    event = e.AdviceFailed(
        question_id="q7",
        reason=Reason.ADVICE_FAILED,
        detail="every provider failed",
        prompt="prompt",
        prompt_hash="h",
        provider="ollama",
        model="llama",
        raw="<html>",
        status=502,
        tried=TRIED[:1],
    )
    first, last = rows(failed_rows(event, ASKED, AT))
    assert (first.call_id, first.provider) == ("q7.1", "openai")
    assert (last.call_id, last.attempt, last.reply, last.status) == ("q7", 2, "<html>", 502)
    assert (last.reason, last.error) == (Reason.ADVICE_FAILED, "every provider failed")
