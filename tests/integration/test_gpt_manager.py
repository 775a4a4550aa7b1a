"""The advisor against real loopback servers: the stand-in advisor, and servers with faults."""

import asyncio
import json
import logging
from typing import Any

import pytest
from aiohttp import web
from llm_parts import (
    ASSETS,
    CANARY,
    answering,
    asked,
    completion,
    managing,
    plan,
    provider,
    question,
    serving,
    stand_in,
)

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.reasons import Reason
from simple_trader.sandbox.advisor import LABEL


async def test_the_stand_in_answers_by_a_tool_call_and_is_called_no_llm() -> None:
    event = await asked(stand_in)
    assert isinstance(event, AdviceArrived), event
    assert event.kind == "tool_call"
    assert event.advisor_label == LABEL
    assert event.model == "stand-in-advisor"
    decisions = json.loads(event.raw)["decisions"]
    assert [item["pair"] for item in decisions] == ["BTC/USD", "ETH/USD"]
    assert decisions[0]["action"] == "buy"
    assert decisions[0]["confidence"] >= 0.7
    assert event.tokens_in > 100
    assert event.prompt.endswith("```")


async def test_without_function_calling_the_answer_is_json_content() -> None:
    event = await asked(stand_in, answers="content")
    assert isinstance(event, AdviceArrived), event
    assert event.kind == "content"
    assert len(json.loads(event.raw)["decisions"]) == 2
    assert "Call the function" not in event.prompt


@pytest.mark.parametrize("is_reasoning", [True, False])
async def test_a_reasoning_model_gets_no_temperature_and_its_own_token_limit(
    is_reasoning: bool,
) -> None:
    seen: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(await request.json())
        assert request.headers["Authorization"] == f"Bearer {CANARY}"
        return web.json_response(completion({"content": "{}"}))

    event = await asked(handle, is_reasoning=is_reasoning, reasoning_effort="low", max_tokens=77)
    assert isinstance(event, AdviceArrived), event
    body = seen[0]
    if is_reasoning:
        assert body["max_completion_tokens"] == 77
        assert body["reasoning_effort"] == "low"
        assert not {"temperature", "max_tokens"} & body.keys()
    else:
        assert body["max_tokens"] == 77
        assert body["temperature"] == 0.3
        assert not {"max_completion_tokens", "reasoning_effort"} & body.keys()
    items = body["tools"][0]["function"]["parameters"]["properties"]["decisions"]["items"]
    assert items["properties"]["pair"]["enum"] == ["BTC/USD", "ETH/USD"]
    assert body["tool_choice"]["function"]["name"] == "aggregator_decision"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_provider_is_asked_once_more(status: int) -> None:
    calls = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        if calls == 1:
            return web.json_response({}, status=status, headers={"Retry-After": "0"})
        return await stand_in(request)

    event = await asked(handle)
    assert isinstance(event, AdviceArrived), event
    assert calls == 2


async def test_a_provider_that_stays_busy_is_asked_no_third_time() -> None:
    calls = 0

    async def handle(_: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.json_response({"error": {"message": "overloaded"}}, status=503)

    event = await asked(handle)
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_FAILED
    assert "503" in event.detail
    assert calls == 2


async def test_a_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    event = await asked(answering({}, 429, **{"Retry-After": "3600"}))
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_FAILED
    assert "429" in event.detail
    assert event.latency_ms < 10_000


async def test_a_wrong_key_is_not_retried_and_never_repeated() -> None:
    calls = 0

    async def handle(_: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        body = {"error": {"message": f"Incorrect API key provided: {CANARY}\n\x1b[31m"}}
        return web.json_response(body, status=401)

    event = await asked(handle)
    assert isinstance(event, AdviceFailed)
    assert calls == 1
    assert "Incorrect API key" in event.detail
    assert CANARY not in event.detail
    assert "\n" not in event.detail
    assert "\x1b" not in event.detail


async def test_a_redirect_is_not_followed() -> None:
    calls = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{request.url.port}/v1/elsewhere")

    event = await asked(handle)
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_FAILED
    assert "307" in event.detail
    assert calls == 1


async def test_l01_a_hang_before_an_answer_ends_at_the_deadline() -> None:
    release = asyncio.Event()

    async def handle(_: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    event = await asked(handle, timeout_s=0.5)
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_TIMEOUT
    assert event.prompt_hash


async def test_l01_a_hang_after_the_headers_ends_at_the_question_s_deadline() -> None:
    release = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"choices":')
        await release.wait()
        return response

    event = await asked(handle, deadline_s=0.6)
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_TIMEOUT
    assert event.latency_ms < 5_000


async def test_l01_a_drip_does_not_stretch_the_deadline() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    event = await asked(handle, timeout_s=0.6)
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_TIMEOUT


@pytest.mark.parametrize("status", [200, 500])
async def test_l09_an_endless_body_is_cut(status: int) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "application/json", "Retry-After": "99999"}
        response = web.StreamResponse(status=status, headers=headers)
        await response.prepare(request)
        for _ in range(100_000):
            await response.write(b"x" * 65_536)
        return response

    event = await asked(handle)
    assert isinstance(event, AdviceFailed)
    expected = Reason.ADVICE_TOO_LONG if status == 200 else Reason.ADVICE_FAILED
    assert event.reason is expected
    assert len(event.detail) <= 300


async def test_a_truncated_answer_is_handed_on_with_its_finish_reason() -> None:
    event = await asked(answering(completion({"content": '{"decisions": [{"pa'}, "length")))
    assert isinstance(event, AdviceArrived)
    assert event.finish_reason == "length"
    assert event.raw == '{"decisions": [{"pa'


@pytest.mark.parametrize(
    ("message", "finish"),
    [({"refusal": "I cannot help with that."}, "stop"), ({"content": None}, "content_filter")],
)
async def test_l11_a_refusal_is_a_failure_with_its_reason(
    message: dict[str, Any], finish: str
) -> None:
    event = await asked(answering(completion(message, finish)))
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_REFUSED_BY_MODEL


def _call(name: str) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {"choices": []},
        {"choices": [{"message": {"content": 5}}]},
        completion({"content": None, "tool_calls": [_call("transfer_funds")]}),
        completion({"content": None, "tool_calls": [_call("aggregator_decision")] * 2}),
    ],
)
async def test_l10_what_is_no_single_answer_is_malformed(body: Any) -> None:
    event = await asked(answering(body))
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_MALFORMED


async def test_a_model_that_ignores_the_tool_is_passed_on_as_content() -> None:
    event = await asked(answering(completion({"content": "<think>hm</think>"})))
    assert isinstance(event, AdviceArrived)
    assert (event.kind, event.raw, event.model) == ("content", "<think>hm</think>", "m-1")


async def test_nobody_listening_is_a_failure_that_says_so() -> None:
    async with serving(stand_in) as base_url:
        pass
    async with managing(provider(base_url)) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_FAILED
    assert "cannot be reached" in event.detail


async def test_a_connection_cut_in_the_middle_is_a_failure() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices":')
        assert request.transport is not None
        request.transport.abort()
        return response

    event = await asked(handle)
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_FAILED


async def test_without_a_provider_every_question_fails_with_that_reason() -> None:
    async with managing() as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.NO_PROVIDER


async def test_c09_a_template_with_a_missing_variable_ends_in_a_reason() -> None:
    assets = LlmAssets.of("Hello {{nobody}}", ASSETS.tool_schema)
    async with managing(provider("http://127.0.0.1:1/v1"), assets=assets) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.PROMPT_FAILED
    assert "nobody" in event.detail


async def test_an_update_counts_from_the_next_question() -> None:
    async with serving(stand_in) as base_url, managing() as manager:
        assert isinstance(await manager.ask(question()), AdviceFailed)
        manager.update(plan(provider(base_url)))
        assert isinstance(await manager.ask(question()), AdviceArrived)
        other = LlmAssets.of("Cycle {{cycle_id}}", ASSETS.tool_schema)
        manager.update(plan(provider(base_url), assets=other))
        event = await manager.ask(question(number=2))
    assert isinstance(event, AdviceArrived)
    assert event.template_hash == other.template_hash != ASSETS.template_hash
    assert event.prompt.startswith("Cycle cycle-2")


async def test_the_key_is_in_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await asked(stand_in)
    await asked(answering({"error": CANARY}, 401))
    assert CANARY not in caplog.text
    assert CANARY not in repr(provider("http://127.0.0.1:1/v1"))


async def test_cancelling_the_question_cancels_it() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def handle(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await release.wait()
        return web.Response()

    async with serving(handle) as base_url, managing(provider(base_url)) as manager:
        asking = asyncio.ensure_future(manager.ask(question()))
        await arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_an_update_in_mid_question_does_not_cut_the_question() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await release.wait()
        return await stand_in(request)

    async with (
        serving(slow) as old_url,
        serving(stand_in) as new_url,
        managing(provider(old_url)) as manager,
        asyncio.TaskGroup() as group,
    ):
        first = group.create_task(manager.ask(question()))
        await arrived.wait()
        manager.update(plan(provider(new_url, name="new")))
        second = await manager.ask(question(number=2))
        release.set()
    assert isinstance(second, AdviceArrived)
    assert second.provider == "new"
    assert isinstance(first.result(), AdviceArrived), first.result()
