"""Several providers, budgets, shadows and pinned hosts, over real sockets."""

import asyncio
import logging
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from llm_parts import (
    ASSETS,
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

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.call_files import CallFiles
from simple_trader.adapters.llm.plan import Budget, ShadowPlan
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.reasons import Reason
from simple_trader.ports import AdviceHistory, Spent
from simple_trader.telemetry.masking import Masker

D = Decimal
USAGE: dict[str, Any] = {"usage": {"prompt_tokens": 1_000, "completion_tokens": 100}}


class Counting:
    """A server that counts its calls and answers the n-th with the n-th of `replies`."""

    def __init__(self, *replies: Any) -> None:
        self.replies = replies
        self.bodies: list[Any] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        reply = self.replies[min(len(self.bodies), len(self.replies)) - 1]
        if callable(reply):
            answered: web.StreamResponse = await reply(request)
            return answered
        return web.json_response(reply)


def says(number: int = 1, model: str = "m-1", **more: Any) -> dict[str, Any]:
    """A whole completion of its own."""
    named: dict[str, Any] = {"id": f"c-{number}", "created": 1_700_000_000, "model": model}
    return completion({"content": "{}"}) | named | more


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


# -- one deadline ---------------------------------------------------------------------------


@pytest.mark.parametrize("stuck", [hang, drip])
async def test_l01_all_attempts_together_keep_the_deadline(stuck: Any) -> None:
    loop = asyncio.get_running_loop()
    async with serving(stuck) as url:
        many = [provider(url, name=f"p{number}", timeout_s=0.4) for number in range(6)]
        async with managing(*many) as manager:
            await manager.warm()
            begun = loop.time()
            event = await manager.ask(question(deadline_s=1.0))
            took_s = loop.time() - begun
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_TIMEOUT
    assert took_s < 1.5
    assert 1 <= len(event.tried) < 5


async def test_l01_a_provider_that_drips_is_left_for_the_next() -> None:
    async with serving(drip) as slow, serving(stand_in) as good:
        two = provider(slow, name="slow", timeout_s=0.4), provider(good, name="good")
        async with managing(*two) as manager:
            event = await manager.ask(question())
    assert isinstance(event, AdviceArrived), event
    assert event.provider == "good"
    assert [one.reason for one in event.tried] == [Reason.ADVICE_TIMEOUT]


async def test_i_41_the_first_question_imports_nothing_that_would_stop_the_loop() -> None:
    async with serving(stand_in) as url, managing(provider(url)) as manager:
        await manager.warm()
        before = set(sys.modules)
        await manager.ask(question())
    late = {name for name in set(sys.modules) - before if name.startswith("openai")}
    assert late == set()


# -- breakers -------------------------------------------------------------------------------


async def test_l02_a_provider_that_fails_three_times_is_not_asked_for_a_while() -> None:
    bad = Counting(answering({}, 401))
    async with serving(bad.handle) as url, managing(provider(url)) as manager:
        events = [await manager.ask(question(number=number)) for number in range(5)]
    assert len(bad.bodies) == 3
    assert [event.reason for event in events if isinstance(event, AdviceFailed)] == [
        *[Reason.ADVICE_FAILED] * 3,
        *[Reason.LLM_BREAKER] * 2,
    ]


async def test_l02_the_breaker_of_one_provider_says_nothing_of_another() -> None:
    bad = Counting(answering({}, 500))
    async with serving(bad.handle) as url, serving(stand_in) as good:
        two = provider(url, name="bad"), provider(good, name="good")
        async with managing(*two) as manager:
            events = [await manager.ask(question(number=number)) for number in range(4)]
    assert all(isinstance(event, AdviceArrived) for event in events)
    assert len(bad.bodies) == 3  # twice, then once, then it rests
    last = events[-1]
    assert isinstance(last, AdviceArrived)
    assert last.tried == ()


async def test_l02_a_long_retry_after_is_kept_by_the_questions_after_it() -> None:
    busy = Counting(answering({}, 429, **{"Retry-After": "300"}))
    async with serving(busy.handle) as url, managing(provider(url)) as manager:
        await manager.ask(question())
        event = await manager.ask(question(number=2))
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.LLM_BREAKER
    assert len(busy.bodies) == 1


# -- budgets --------------------------------------------------------------------------------


async def test_l17_a_loop_that_asks_every_moment_is_stopped_hard() -> None:
    server = Counting(*[says(number, **USAGE) for number in range(100)])
    async with serving(server.handle) as url:
        one = provider(url, answers="content", price_in=D(1), price_out=D(10))
        async with managing(one, budget=Budget(tokens_per_hour=14_000)) as manager:
            events = [await manager.ask(question(number=number)) for number in range(40)]
    arrived = [event for event in events if isinstance(event, AdviceArrived)]
    refused = [event for event in events if isinstance(event, AdviceFailed)]
    assert 5 <= len(arrived) == len(server.bodies) <= 14_000 // 1_100
    assert {event.reason for event in refused} == {Reason.LLM_BUDGET}
    assert "tokens_per_hour" in refused[0].detail
    assert arrived[0].cost_usd == D("0.002")


async def test_l17_what_was_spent_before_a_restart_counts() -> None:
    server = Counting(says(**USAGE))
    history = AdviceHistory(spent=(Spent(age_s=60, tokens=9, usd=D(5)),))
    async with serving(server.handle) as url:
        one = provider(url, price_in=D(1), price_out=D(10))
        many = managing(one, budget=Budget(usd_per_day=D(5)), history=history)
        async with many as manager:
            event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.LLM_BUDGET
    assert server.bodies == []


async def test_l17_a_question_nobody_waited_for_is_counted_in_full() -> None:
    async with (
        serving(hang) as url,
        managing(provider(url, timeout_s=0.2), budget=Budget(tokens_per_hour=20_000)) as manager,
    ):
        reasons = []
        for number in range(3):
            event = await manager.ask(question(number=number))
            assert isinstance(event, AdviceFailed)
            reasons.append(event.reason)
    assert reasons[0] is Reason.ADVICE_TIMEOUT
    assert reasons[-1] is Reason.LLM_BUDGET


async def test_l17_an_answer_without_a_count_is_counted_in_full_and_its_cost_not_known() -> None:
    server = Counting(*[says(number) for number in range(9)])
    async with serving(server.handle) as url:
        one = provider(url, price_in=D(1), price_out=D(10))
        async with managing(one, budget=Budget(tokens_per_hour=25_000)) as manager:
            events = [await manager.ask(question(number=number)) for number in range(9)]
    first, last = events[0], events[-1]
    assert isinstance(first, AdviceArrived), first
    assert first.cost_usd is None
    assert isinstance(last, AdviceFailed)
    assert last.reason is Reason.LLM_BUDGET


async def test_l17_a_free_provider_answers_where_the_money_is_used_up() -> None:
    dear, free = Counting(says(1)), Counting(says(2))
    async with serving(dear.handle) as url, serving(free.handle) as other:
        two = (
            provider(url, name="dear", price_in=D(1), price_out=D(1)),
            provider(other, name="free", price_in=D(0), price_out=D(0)),
        )
        async with managing(*two, budget=Budget(usd_per_day=D(0))) as manager:
            event = await manager.ask(question())
    assert isinstance(event, AdviceArrived), event
    assert event.provider == "free"
    assert dear.bodies == []


# -- who answered ---------------------------------------------------------------------------


async def test_l14_a_completion_that_came_before_is_no_answer() -> None:
    server = Counting(says(1))
    async with serving(server.handle) as url, managing(provider(url)) as manager:
        first = await manager.ask(question())
        second = await manager.ask(question(number=2))
    assert isinstance(first, AdviceArrived), first
    assert isinstance(second, AdviceFailed)
    assert second.reason is Reason.ADVICE_MALFORMED
    assert "earlier question" in second.detail
    assert second.raw == "{}"
    assert second.question_id == "q-2"


async def test_l14_each_of_many_answers_stays_with_its_question() -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        text = str((await request.json())["messages"][0]["content"])
        number = int(text.partition('"cycle_id":"cycle-')[2].partition('"')[0])
        await asyncio.sleep(0.05 * (number % 3))
        return web.json_response(
            completion({"content": str(number)}) | {"id": f"c-{number}", "created": 1}
        )

    async with serving(echo) as url, managing(provider(url)) as manager:
        events = await asyncio.gather(*(manager.ask(question(number=n)) for n in range(12)))
    for number, event in enumerate(events):
        assert isinstance(event, AdviceArrived), event
        assert (event.question_id, event.raw) == (f"q-{number}", str(number))


async def test_l16_another_model_behind_the_name_is_an_alarm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Counting(says(1, "m-2026-01"), says(2, "m-2026-01"), says(3, "m-2026-09"))
    async with serving(server.handle) as url, managing(provider(url)) as manager:
        events = [await manager.ask(question(number=number)) for number in range(3)]
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [event.model for event in events] == ["m-2026-01", "m-2026-01", "m-2026-09"]
    assert len(told) == 1
    assert "m-2026-09" in told[0].getMessage()


# -- shadows --------------------------------------------------------------------------------


async def test_a_shadow_asks_its_own_provider_with_its_own_prompt() -> None:
    trading, other = Counting(says(1)), Counting(says(2, "m-2"))
    terse = LlmAssets.of("Terse {{cycle_id}}", ASSETS.tool_schema)
    async with serving(trading.handle) as url, serving(other.handle) as shadow_url:
        shadow = ShadowPlan(assets=terse, provider=provider(shadow_url, name="other"))
        async with managing(provider(url), shadows={"terse": shadow}) as manager:
            event = await manager.ask(question(advisor="terse"))
            unknown = await manager.ask(question(advisor="gone"))
    assert isinstance(event, AdviceArrived), event
    assert (event.provider, event.model) == ("other", "m-2")
    assert event.prompt.startswith("Terse cycle-1")
    assert event.template_hash == terse.template_hash
    assert trading.bodies == []
    assert isinstance(unknown, AdviceFailed)
    assert unknown.reason is Reason.NO_PROVIDER


async def test_a_shadow_that_fails_again_and_again_silences_nobody_else() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        text = str((await request.json())["messages"][0]["content"])
        return web.json_response({}, status=400) if "Terse" in text else await stand_in(request)

    terse = LlmAssets.of("Terse {{cycle_id}}", ASSETS.tool_schema)
    async with serving(handle) as url:
        shadow = ShadowPlan(assets=terse, provider=provider(url))
        async with managing(provider(url), shadows={"terse": shadow}) as manager:
            for number in range(4):
                failed = await manager.ask(question(number=number, advisor="terse"))
            event = await manager.ask(question())
    assert isinstance(failed, AdviceFailed)
    assert failed.reason is Reason.LLM_BREAKER
    assert isinstance(event, AdviceArrived), event


async def test_a_dead_shadow_delays_nobody() -> None:
    async with serving(hang) as dead, serving(stand_in) as url:
        shadow = ShadowPlan(assets=ASSETS, provider=provider(dead, name="dead"))
        async with managing(provider(url), shadows={"dead": shadow}) as manager:
            await manager.warm()
            waiting = asyncio.ensure_future(manager.ask(question(2.0, advisor="dead")))
            async with asyncio.timeout(1.5):
                event = await manager.ask(question())
            assert not waiting.done()
            late = await waiting
    assert isinstance(event, AdviceArrived), event
    assert isinstance(late, AdviceFailed)


# -- mode live's hosts ----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_l19_a_name_that_points_inside_is_not_called_in_live(host: str) -> None:
    server = Counting(says(1))
    async with serving(server.handle) as url:
        pinned = provider(url.replace("127.0.0.1", host), reach="public")
        async with managing(pinned) as manager:
            event = await manager.ask(question())
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.ADVICE_FAILED
    assert "no public address" in event.detail
    assert server.bodies == []


async def test_l19_a_host_that_a_person_listed_is_called_and_no_proxy_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server = Counting(says(1))
    async with serving(server.handle) as url, managing(provider(url, reach="listed")) as manager:
        event = await manager.ask(question())
    assert isinstance(event, AdviceArrived), event
    assert len(server.bodies) == 1


# -- files ----------------------------------------------------------------------------------


async def test_i_45_calls_are_written_masked_where_asked_for(tmp_path: Path) -> None:
    server = Counting(answering({"error": CANARY}, 500), says(1))
    files = CallFiles(tmp_path / "llm", Masker((CANARY,)).text)
    async with serving(server.handle) as url, managing(provider(url), files=files) as manager:
        await manager.ask(question())
        assert not (tmp_path / "llm").exists()
        manager.update(plan(provider(url, name="b"), log_files=True))
        server.bodies.clear()
        await manager.ask(question(number=2))
    names = sorted(path.name for path in (tmp_path / "llm").iterdir())
    assert names == ["q-2-1.json", "q-2-2.json"]
    first, second = (msgspec.json.decode((tmp_path / "llm" / name).read_bytes()) for name in names)
    assert (first["status"], second["status"]) == (500, 200)
    assert CANARY not in str(first)
    assert second["prompt"].endswith("```")


async def test_a_key_that_is_not_set_is_named_by_its_variable() -> None:
    server = Counting(says(1))
    async with serving(server.handle) as url:
        two = (
            provider(url, name="a", api_key=None, key_variable="COHERE_API_KEY"),
            provider(url, name="b"),
        )
        async with managing(two[0]) as manager:
            alone = await manager.ask(question())
        async with managing(*two) as manager:
            event = await manager.ask(question())
    assert isinstance(alone, AdviceFailed)
    assert alone.reason is Reason.NO_PROVIDER
    assert "COHERE_API_KEY" in alone.detail
    assert isinstance(event, AdviceArrived), event
    assert event.provider == "b"
