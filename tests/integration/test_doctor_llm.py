"""`doctor --llm` asks each provider one tiny question and says status, latency and cost."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from llm_parts import CANARY, completion, serving

from simple_trader.cli.doctor_database import calls_fix
from simple_trader.cli.doctor_llm import examine_llm, name_providers
from simple_trader.cli.findings import Finding
from simple_trader.config.env import Environment, read_environment
from simple_trader.config.loader import Config, load

ROOT = Path(__file__).resolve().parents[2]


def read(folder: Path, text: str, env: str = "") -> tuple[Config, Environment]:
    """This configuration and .env, read."""
    for name in ("templates", "tools"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(f"{text}templates_dir: templates\ntools_dir: tools\n...\n")
    (folder / ".env").write_text(env)
    (folder / ".env").chmod(0o600)
    return load(path), read_environment(folder / ".env", environ={})


async def found(folder: Path, text: str, env: str = "") -> list[Finding]:
    """What is found when everybody is asked."""
    return await examine_llm(*read(folder, text, env))


def named(name: str, url: str, **more: object) -> str:
    """One provider of the list, as YAML."""
    lines = {"name": name, "base_url": url, "model": f"{name}-model"} | more
    return "  - " + "\n    ".join(f"{key}: {value}" for key, value in lines.items()) + "\n"


async def test_each_provider_is_asked_once_and_told_with_status_latency_and_cost(
    tmp_path: Path,
) -> None:
    bodies: list[Any] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.json())
        usage = {"prompt_tokens": 12, "completion_tokens": 1}
        named = {"model": "dear-model-2026-05-01", "usage": usage}
        return web.json_response(completion({"content": "ok"}) | named)

    async with serving(handle) as url:
        dear = named("dear", url, price_in=1, price_out=10, key_variable="A_API_KEY")
        thinks = named("thinks", url, is_reasoning_model="true")
        text = f"providers:\n{dear}{thinks}"
        findings = await found(tmp_path, text, f"A_API_KEY={CANARY}\n")
    priced, unpriced, advice = findings
    assert (priced.level, priced.subject) == ("ok", "advisor dear")
    assert "HTTP 200 in " in priced.text
    assert "13 tokens, 0.00002200 USD" in priced.text
    assert "answers as dear-model-2026-05-01" in priced.text
    assert "cost not known" in unpriced.text
    assert (advice.level, "price_in" in advice.fix) == ("warn", True)
    assert [body["messages"][0]["content"] for body in bodies] == [
        "Answer with the one word: ok"
    ] * 2
    assert (bodies[0]["max_tokens"], bodies[1]["max_completion_tokens"]) == (16, 256)
    assert all("tools" not in body for body in bodies)


@pytest.mark.parametrize(
    ("status", "fix"), [(401, "valid key"), (404, "base_url or model"), (503, "wait")]
)
async def test_a_refusal_is_told_with_its_fix_and_without_the_key(
    tmp_path: Path, status: int, fix: str
) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        body = {"error": {"message": f"no, {CANARY}"}}
        return web.json_response(body, status=status)

    async with serving(handle) as url:
        one = named("a", url, key_variable="A_API_KEY")
        (finding,) = await found(tmp_path, f"providers:\n{one}", f"A_API_KEY={CANARY}\n")
    assert finding.level == "fail"
    assert f"HTTP {status}" in finding.text
    assert fix in finding.fix
    assert CANARY not in finding.text


async def test_nobody_there_and_no_key_are_told(tmp_path: Path) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    async with serving(handle) as gone:
        pass
    lost = named("lost", gone)
    keyless = named("keyless", gone, key_variable="A_API_KEY")
    first, second = await found(tmp_path, f"providers:\n{lost}{keyless}")
    assert "cannot be reached" in first.text
    assert "A_API_KEY" in second.text


async def test_the_stand_in_is_not_asked(tmp_path: Path) -> None:
    (finding,) = await found(tmp_path, "")
    assert finding.level == "ok"
    assert "no LLM" in finding.text


def test_without_asking_doctor_names_who_would_be_asked_and_what_is_missing(tmp_path: Path) -> None:
    url = "https://api.openai.com/v1"
    good = named("good", url, price_in=1, price_out=1, key_variable="A_API_KEY")
    keyless = named("keyless", url, key_variable="B_API_KEY")
    unpriced = named("unpriced", url)
    text = f"providers:\n{good}{keyless}{unpriced}"
    findings = list(name_providers(*read(tmp_path, text, f"A_API_KEY={CANARY}\n")))
    assert [one.level for one in findings] == ["ok", "fail", "warn"]
    assert "B_API_KEY" in findings[1].text
    assert "price_in" in findings[2].fix
    (flat,) = name_providers(*read(tmp_path, "mode: paper\n", f"OPENAI_API_KEY={CANARY}\n"))
    assert (flat.level, flat.text) == ("ok", "gpt-4.1-mini at OpenAI")
    (stand_in,) = name_providers(*read(tmp_path, ""))
    assert "not an LLM" in stand_in.text


def test_a_spent_budget_and_a_silent_provider_have_fixes_of_their_own() -> None:
    spent = calls_fix("llm_budget.tokens_per_hour is 10000: 4300 are spent or on their way")
    assert "limits accept" in spent
    assert "doctor --llm" in calls_fix("dead cannot be reached")
