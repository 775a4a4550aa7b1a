"""Recorded answers come back in order, with the prompt they would have belonged to."""

from datetime import UTC, datetime

from recorded_advisor import RecordedAdvisor

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.domain.actions import AskAdvice, Question
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.reasons import Reason

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
AT = datetime(2026, 3, 2, tzinfo=UTC)
ASK = AskAdvice(
    question=Question(
        question_id="q", kind="advice", subject="all", asked_at=AT, deadline_s=5, config_hash="c"
    ),
    cycle_id="cycle-1",
    as_of=AT,
    briefs=(),
    cash_fraction=1.0,
    max_asset_exposure=0.3,
    max_total_exposure=0.8,
    min_confidence=0.7,
)


async def test_answers_come_in_order_and_then_there_is_no_provider() -> None:
    advisor = RecordedAdvisor(LlmAssets.of("{{cycle_id}}", TOOL), ["one", "two"], kind="content")
    first, second, third = [await advisor.ask(ASK) for _ in range(3)]
    assert isinstance(first, AdviceArrived)
    assert isinstance(second, AdviceArrived)
    assert (first.raw, second.raw, first.kind) == ("one", "two", "content")
    assert first.prompt.startswith("cycle-1\n")
    assert isinstance(third, AdviceFailed)
    assert third.reason is Reason.NO_PROVIDER


async def test_c09_a_broken_template_fails_here_too() -> None:
    event = await RecordedAdvisor(LlmAssets.of("{{nobody}}", TOOL), ["one"]).ask(ASK)
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.PROMPT_FAILED
