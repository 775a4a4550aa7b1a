"""Who is asked under a configuration, and with whose key, price and prompt."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from llm_parts import question

from simple_trader.adapters.llm.plan import LlmPlan
from simple_trader.adapters.llm.provider import STAND_IN_LABEL
from simple_trader.app.advice import OPENAI_BASE_URL, AdvisorDesk, plan_of
from simple_trader.config.env import Secret, Secrets
from simple_trader.config.loader import load
from simple_trader.domain.errors import ModeError
from simple_trader.domain.events import AdviceFailed
from simple_trader.domain.reasons import Reason

ROOT = Path(__file__).resolve().parents[3]
THREE = """providers:
  - {name: openai, base_url: "https://api.openai.com/v1", model: gpt, key_variable: OPENAI_API_KEY,
     price_in: 0.4, price_out: 1.6}
  - {name: cohere, base_url: "https://api.cohere.ai/compatibility/v1", model: command,
     key_variable: COHERE_API_KEY, answers: json_schema, temperature: 0.1}
  - {name: local, base_url: "http://127.0.0.1:11434/v1", model: llama, shadow_only: true}
shadows:
  - {name: small, provider: local, template: terse.mustache}
  - {name: same}
llm_budget: {usd_per_day: 3, tokens_per_hour: 5}
"""
KEYS = Secrets(
    openai_api_key=Secret("sk-openai"), provider_keys={"COHERE_API_KEY": Secret("sk-cohere")}
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with its own templates and tools."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "templates/prompts/terse.mustache").write_text("Terse.\n")
    return tmp_path


def plan(place: Path, text: str, secrets: Secrets = KEYS, stand_in: str | None = None) -> LlmPlan:
    """The plan of this configuration."""
    path = place / "config.yaml"
    path.write_text(f"{text}templates_dir: templates\ntools_dir: tools\n...\n")
    return plan_of(load(path), secrets, stand_in)


def test_providers_are_asked_in_their_order_each_with_its_own_key(place: Path) -> None:
    found = plan(place, THREE)
    first, second = found.providers
    assert (first.name, first.key, first.price_out) == ("openai", "sk-openai", Decimal("1.6"))
    assert (second.name, second.key, second.answers) == ("cohere", "sk-cohere", "json_schema")
    assert second.temperature == 0.1
    assert (found.budget.usd_per_day, found.budget.tokens_per_hour) == (Decimal(3), 5)
    assert found.told() == (
        "gpt at https://api.openai.com/v1, then command at https://api.cohere.ai/compatibility/v1"
    )


def test_shadows_have_their_own_provider_and_prompt_and_only_shadows_ask_theirs(
    place: Path,
) -> None:
    found = plan(place, THREE)
    assert "local" not in [one.name for one in found.providers]
    assert found.shadows["small"].provider.name == "local"
    assert found.shadows["small"].assets.template == "Terse.\n"
    assert found.shadows["small"].assets.template_hash != found.assets.template_hash
    assert found.shadows["same"].provider.name == "openai"
    assert found.shadows["same"].assets.template_hash == found.assets.template_hash
    assert {one.name for one in found.everyone()} == {"openai", "cohere", "local"}


def test_l19_live_reaches_known_hosts_at_public_addresses_and_listed_ones_as_they_are(
    place: Path,
) -> None:
    live = plan(place, f"mode: live\nllm_hosts: [127.0.0.1:11434]\n{THREE}")
    assert [one.reach for one in live.everyone()] == ["public", "public", "listed"]
    assert {one.reach for one in plan(place, THREE).everyone()} == {"any"}


def test_the_flat_keys_describe_the_one_provider(place: Path) -> None:
    flat = "mode: paper\nopenai_model: o9\nis_reasoning_model: true\nreasoning_effort: high\n"
    (one,) = plan(place, flat, stand_in="http://127.0.0.1:1/advisor/v1").providers
    assert (one.name, one.base_url, one.model) == ("openai", OPENAI_BASE_URL, "o9")
    assert (one.is_reasoning, one.reasoning_effort, one.answers) == (True, "high", "tools")
    (plain,) = plan(place, "mode: paper\nis_function_calling_model: false\n").providers
    assert plain.answers == "content"


def test_sim_asks_the_stand_in_which_costs_nothing_shadows_too(place: Path) -> None:
    url = "http://127.0.0.1:1/advisor/v1"
    found = plan(place, "shadows: [{name: terse, template: terse.mustache}]\n", stand_in=url)
    (one,) = found.providers
    assert (one.base_url, one.label, one.is_stand_in) == (url, STAND_IN_LABEL, True)
    assert one.cost(10**6, 10**6) == 0
    assert found.shadows["terse"].provider == one


def test_live_without_anybody_to_ask_is_refused(place: Path) -> None:
    with pytest.raises(ModeError, match="providers"):
        plan(place, "mode: live\n", Secrets())


async def test_i_50_a_question_is_asked_under_its_own_version(place: Path) -> None:
    desk = AdvisorDesk()
    desk.learn("new", plan(place, THREE))
    desk.learn("c", LlmPlan(assets=plan(place, THREE).assets))
    event = await desk.ask(question())
    await desk.close()
    assert isinstance(event, AdviceFailed)
    assert event.reason is Reason.NO_PROVIDER
