"""What a provider sends back, or does not: keys that return, and calls that end half-way."""

from decimal import Decimal

from aiohttp import web
from llm_parts import CANARY, answering, completion, managing, provider, question, serving

from simple_trader.adapters.llm.plan import Budget
from simple_trader.domain.events import AdviceArrived, AdviceFailed
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
        async with managing(dear, budget=Budget(usd_per_hour=D("0.15"))) as manager:
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
