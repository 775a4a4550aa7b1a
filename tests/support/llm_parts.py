"""Parts of the advisor's tests: briefs, providers, a manager, and real loopback servers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.gpt_manager import GPTManager
from simple_trader.adapters.llm.plan import LlmPlan
from simple_trader.adapters.llm.provider import ProviderSettings
from simple_trader.domain.actions import AskAdvice, PairBrief, Question
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.predictions import HorizonView
from simple_trader.sandbox.advisor import AdviceRequestError, advise, models

ROOT = Path(__file__).resolve().parents[2]
ASSETS = LlmAssets.from_texts(
    (ROOT / "templates/prompts/aggregator.mustache").read_text(),
    (ROOT / "tools/aggregator_function.json").read_text(),
)
CANARY = "sk-canary-0123456789"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Key:
    """A secret that shows itself only when asked."""

    def reveal(self) -> str:
        """The canary."""
        return CANARY


def brief(pair: str = "BTC/USD", **changes: Any) -> PairBrief:
    """What is shown of one pair."""
    features = {"ema_12": 65_100.0, "ema_26": 65_000.0, "macd_hist": 5.0, "rsi_14": 58.0}
    given: dict[str, Any] = {
        "pair": pair,
        "snapshot_id": "s-1",
        "mid": Decimal("65000.05"),
        "bid": Decimal("65000.0"),
        "ask": Decimal("65000.1"),
        "spread_bps": 0.02,
        "features": features | {"sma_50": None},
        "holding_fraction": 0.0,
        "unrealised_pct": None,
        "probabilities": (HorizonView(horizon_s=900, probability=0.53),),
        "tradable": True,
    }
    return PairBrief(**(given | changes))


def question(deadline_s: float = 20.0, advisor: str = "", number: int = 1) -> AskAdvice:
    """Question `number` about two pairs."""
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    return AskAdvice(
        question=Question(
            question_id=f"q-{number}",
            kind="advice",
            subject="all",
            asked_at=at,
            deadline_s=deadline_s,
            config_hash="c",
        ),
        cycle_id=f"cycle-{number}",
        as_of=at,
        briefs=(brief(), brief("ETH/USD")),
        cash_fraction=1.0,
        max_asset_exposure=0.3,
        max_total_exposure=0.8,
        min_confidence=0.7,
        advisor=advisor,
    )


def provider(base_url: str, **changes: Any) -> ProviderSettings:
    """A provider at `base_url` with a key."""
    given: dict[str, Any] = {
        "name": "loopback",
        "base_url": base_url,
        "model": "some-model",
        "api_key": Key(),
        "timeout_s": 15.0,
    }
    return ProviderSettings(**(given | changes))


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A real HTTP server on loopback; gives its base_url."""
    application = web.Application()
    application.router.add_route("*", "/v1/{rest:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()


async def stand_in(request: web.Request) -> web.StreamResponse:
    """The sandbox's stand-in advisor behind a real server."""
    if request.path.endswith("/models"):
        return web.json_response(models())
    try:
        return web.json_response(advise(await request.json()))
    except AdviceRequestError as error:
        return web.json_response(error.body, status=error.status)


def plan(*providers: ProviderSettings, **more: Any) -> LlmPlan:
    """The shipped prompt and tool for these providers."""
    given: dict[str, Any] = {"assets": ASSETS, "providers": providers}
    return LlmPlan(**(given | more))


@asynccontextmanager
async def managing(*providers: ProviderSettings, **more: Any) -> AsyncIterator[GPTManager]:
    """A manager over these providers; `history` and `files` are its own, the rest the plan's."""
    own = {name: more.pop(name) for name in ("history", "files") if name in more}
    manager = GPTManager(plan(*providers, **more), **own)
    try:
        yield manager
    finally:
        await manager.close()


async def asked(
    handler: Handler, *, deadline_s: float = 20.0, **changes: Any
) -> AdviceArrived | AdviceFailed:
    """The event that a question to this server ends in."""
    async with serving(handler) as base_url, managing(provider(base_url, **changes)) as manager:
        return await manager.ask(question(deadline_s))


def completion(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion with this message."""
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion", "model": "m-1", "choices": [choice]} | more


def answering(body: Any, status: int = 200, **headers: str) -> Handler:
    """A server that always says this."""

    async def handle(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return handle
