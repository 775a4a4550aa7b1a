"""What a provider sends back, or does not: keys that return, and calls that end half-way."""

import asyncio
import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from llm_parts import (
    CANARY,
    answering,
    completion,
    managing,
    plan,
    provider,
    question,
    serving,
    stand_in,
)

from simple_trader.adapters.llm.call_files import CallFiles
from simple_trader.adapters.llm.plan import Budget
from simple_trader.domain.events import AdviceArrived, AdviceFailed, CallTried
from simple_trader.domain.reasons import Reason

D = Decimal


async def hang_up(request: web.Request) -> web.StreamResponse:
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_l17_a_provider_that_hangs_up_after_the_question_may_have_charged_for_it() -> None:
    async with serving(hang_up) as url:
        dear = provider(url, price_in=D(10), price_out=D(100), max_tokens=1_000)
        async with managing(dear, budget=Budget(usd_per_hour=D("0.3"))) as manager:
            first = await manager.ask(question())
            second = await manager.ask(question(number=2))
    assert isinstance(first, AdviceFailed)
    assert (first.reason, first.cost_usd) == (Reason.ADVICE_FAILED, None)
    assert isinstance(second, AdviceFailed)
    assert second.reason is Reason.LLM_BUDGET


async def test_i45_a_key_that_the_provider_sends_back_reaches_no_row() -> None:
    echoing = completion({"content": f"my key is {CANARY}"}) | {"model": f"m {CANARY}"}
    async with serving(answering(echoing)) as url, managing(provider(url)) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceArrived)
    assert event.raw == "my key is ***"
    assert event.model == "m ***"
    assert CANARY not in repr(event)


async def test_a_key_that_is_a_common_word_changes_no_answer() -> None:
    class Word:
        def reveal(self) -> str:
            return "hold"

    said = completion({"content": '{"action": "hold"}'})
    async with (
        serving(answering(said)) as url,
        managing(provider(url, api_key=Word())) as manager,
    ):
        event = await manager.ask(question())
    assert isinstance(event, AdviceArrived)
    assert event.raw == '{"action": "hold"}'


async def test_i45_a_key_in_the_name_of_a_model_that_refused_reaches_no_row() -> None:
    refusing = completion({"refusal": f"not with {CANARY}"}) | {"model": f"m {CANARY}"}
    async with serving(answering(refusing)) as url, managing(provider(url)) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_REFUSED_BY_MODEL
    assert CANARY not in repr(event)


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 50}, {"completion_tokens": 50}])
async def test_l17_what_an_event_tells_of_the_budget_is_what_was_counted(usage: Any) -> None:
    said = completion({"content": "{}"}) | {"usage": usage}
    async with serving(hang) as silent, serving(answering(said)) as url:
        prices = {"price_in": D(1), "price_out": D(10), "max_tokens": 300}
        two = (
            provider(silent, name="silent", timeout_s=0.3, **prices),
            provider(url, name="vague", **prices),
        )
        async with managing(*two) as manager:
            event = await manager.ask(question())
            counted = manager._spending.spent(3_600)
    assert isinstance(event, AdviceArrived), event
    attempts: list[AdviceArrived | CallTried] = [*event.tried, event]
    assert [one.cost_usd for one in attempts] == [None, None]
    assert all(one.budget_tokens > 300 for one in attempts)
    assert sum(one.budget_tokens for one in attempts) == counted[0]
    assert sum(one.budget_usd for one in attempts) == counted[1] > 0


async def test_l17_a_stand_in_and_a_refused_key_count_for_nothing() -> None:
    async with (
        serving(answering({}, 401)) as url,
        managing(provider(url, price_in=D(1), price_out=D(1))) as manager,
    ):
        event = await manager.ask(question())
        counted = manager._spending.spent(3_600)
    assert isinstance(event, AdviceFailed)
    assert (event.budget_tokens, event.budget_usd) == (0, D(0)) == counted


async def test_l02_a_provider_that_was_left_no_time_is_not_blamed_for_it() -> None:
    async with serving(hang) as slow, serving(hang) as other:
        two = (
            provider(slow, name="slow", timeout_s=0.8),
            provider(other, name="other", timeout_s=0.8),
        )
        async with managing(*two) as manager:
            await manager.warm()
            for number in range(3):
                await manager.ask(question(1.0, number=number))
            assert manager._breaker(two[0], "").waits_s() > 0, "it had its time"
            assert manager._breaker(two[1], "").waits_s() == 0, "it had 0.15 of its 0.8 s"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "gopher://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:99999"),
        ("SSL_CERT_FILE", "/no/such/file.pem"),
    ],
)
async def test_l02_an_environment_that_lets_no_call_out_is_a_reason(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    async with managing(provider("http://llm.example/v1")) as manager:
        await manager.warm()
        event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert (event.reason, event.budget_tokens) == (Reason.ADVICE_FAILED, 0)
    assert "cannot be reached" in event.detail


async def test_l01_a_disk_that_hangs_holds_no_answer_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    free = threading.Event()

    class Hanging(CallFiles):
        def write(self, name: str, call: Mapping[str, Any]) -> None:
            free.wait(20)

    files = Hanging(tmp_path, str)
    async with serving(stand_in) as url, managing(provider(url), files=files) as manager:
        manager.update(plan(provider(url), log_files=True))
        try:
            async with asyncio.timeout(10):
                event = await manager.ask(question(5.0))
        finally:
            free.set()
    assert isinstance(event, AdviceArrived), event
    assert "log_llm_files" in caplog.text
