"""The advisor against aimock, an OpenAI-compatible server that is not ours."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from aimock import Aimock, running
from llm_parts import managing, provider, question

from simple_trader.core.strategy.advice import Advice, judge
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.reasons import Reason

PAIRS = ("BTC/USD", "ETH/USD")
FUNCTION = "aggregator_decision"


def envelope() -> dict[str, Any]:
    """A whole answer about both pairs."""
    options = ("price_target", "stop_loss", "expected_move_pct", "horizon_minutes")
    nothing = dict.fromkeys((*options, "bias_allocation", "sentiment"))
    decision = {"action": "buy", "confidence": 0.8, "risk_level": "low", "rationale": "rsi 58"}
    return {
        "decisions": [{"pair": pair} | decision | nothing for pair in PAIRS],
        "rationale": "both rise",
        "confidence": 0.8,
    }


def says(model: str, response: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A fixture: whoever asks this model hears this."""
    return {"match": {"model": model}, "response": response} | more


def by_tool(model: str, **more: Any) -> dict[str, Any]:
    """A fixture: this model calls the function with a whole answer."""
    calls = [{"name": FUNCTION, "arguments": envelope()}]
    usage = {"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500}
    return says(model, {"toolCalls": calls, "usage": usage}, **more)


def usable(event: AdviceArrived) -> bool:
    """Whether the brain reads a decision for each pair out of it."""
    judged = judge(event.raw, kind=event.kind, finish_reason=event.finish_reason, pairs=PAIRS)
    return set(judged) == set(PAIRS) and all(isinstance(one, Advice) for one in judged.values())


BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any], Reason]] = {
    "500": ({"error": {"message": "boom"}, "status": 500}, {}, Reason.ADVICE_FAILED),
    "429": (
        {"error": {"message": "slow down"}, "status": 429, "retryAfter": 3600},
        {},
        Reason.ADVICE_FAILED,
    ),
    "404": ({"error": {"message": "no such model"}, "status": 404}, {}, Reason.ADVICE_FAILED),
    "garbage": ({"content": "x"}, {"chaos": {"malformedRate": 1}}, Reason.ADVICE_MALFORMED),
    "hang-up": ({"content": "x"}, {"chaos": {"disconnectRate": 1}}, Reason.ADVICE_FAILED),
    "hang": ({"content": "x"}, {"chaos": {"latencyMs": 20_000}}, Reason.ADVICE_TIMEOUT),
}


def fixtures() -> list[dict[str, Any]]:
    """What each model says."""
    busy = says("busy", {"error": {"message": "slow down"}, "status": 429, "retryAfter": 1})
    busy["match"]["sequenceIndex"] = 0
    foreign = [{"name": "transfer_funds", "arguments": {"to": "me"}}]
    text = {"content": json.dumps(envelope())}
    return [
        *(says(name, response, **more) for name, (response, more, _) in BROKEN.items()),
        busy,
        by_tool("busy"),
        by_tool("good"),
        says("foreign", {"toolCalls": foreign}),
        {"match": {"model": "schema", "responseFormat": "json_schema"}, "response": text},
        says("content", text),
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    with running(fixtures(), tmp_path_factory.mktemp("aimock")) as one:
        yield one


async def test_a_tool_call_is_read_and_priced(server: Aimock) -> None:
    cheap = provider(
        server.base_url, model="good", price_in=Decimal("0.4"), price_out=Decimal("1.6")
    )
    async with managing(cheap) as manager:
        event = await manager.ask(question())
    body = (await server.asked("good"))[-1]
    assert isinstance(event, AdviceArrived), event
    assert (event.kind, event.status) == ("tool_call", 200)
    assert usable(event)
    assert event.cost_usd == (1200 * Decimal("0.4") + 300 * Decimal("1.6")) / 1_000_000
    assert body["tool_choice"]["function"]["name"] == FUNCTION
    items = body["tools"][0]["function"]["parameters"]["properties"]["decisions"]["items"]
    assert items["properties"]["pair"]["enum"] == list(PAIRS)


async def test_a_strict_json_schema_is_asked_for_and_read(server: Aimock) -> None:
    async with managing(provider(server.base_url, model="schema", answers="json_schema")) as one:
        event = await one.ask(question())
    (body,) = await server.asked("schema")
    assert isinstance(event, AdviceArrived), event
    assert event.kind == "content"
    assert usable(event)
    asked = body["response_format"]["json_schema"]
    assert asked["strict"] is True
    assert asked["schema"]["additionalProperties"] is False
    assert "tools" not in body


async def test_plain_content_is_read(server: Aimock) -> None:
    async with managing(provider(server.base_url, model="content", answers="content")) as one:
        event = await one.ask(question())
    (body,) = await server.asked("content")
    assert isinstance(event, AdviceArrived), event
    assert usable(event)
    assert not {"tools", "response_format"} & body.keys()


async def test_l02_a_429_is_asked_again_after_its_retry_after(server: Aimock) -> None:
    async with managing(provider(server.base_url, model="busy")) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceArrived), event
    assert len(await server.asked("busy")) == 2
    (first,) = event.tried
    assert (first.status, first.reason) == (429, Reason.ADVICE_FAILED)
    assert "slow down" in first.error


@pytest.mark.parametrize("name", BROKEN)
async def test_l02_a_second_provider_answers_when_the_first_fails(
    server: Aimock, name: str
) -> None:
    first = provider(server.base_url, name="first", model=name, timeout_s=1.0)
    second = provider(server.base_url, name="second", model="good")
    async with managing(first, second) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceArrived), event
    assert event.provider == "second"
    assert usable(event)
    assert {one.provider for one in event.tried} == {"first"}
    assert {one.reason for one in event.tried} == {BROKEN[name][2]}


@pytest.mark.parametrize("name", BROKEN)
async def test_l02_nobody_else_to_ask_is_a_failure_with_its_reason(
    server: Aimock, name: str
) -> None:
    async with managing(provider(server.base_url, model=name, timeout_s=1.0)) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is BROKEN[name][2]
    assert event.prompt_hash


async def test_l10_a_tool_that_was_not_offered_is_refused_and_nobody_else_is_asked(
    server: Aimock,
) -> None:
    first = provider(server.base_url, name="first", model="foreign")
    second = provider(server.base_url, name="second", model="good")
    async with managing(first, second) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_MALFORMED
    assert event.provider == "first"
