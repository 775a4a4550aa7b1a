"""Who may be asked for advice: what the configuration takes, and what it refuses in a sentence."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from simple_trader.config.advisors import KNOWN_HOSTS, host_trouble
from simple_trader.config.env import Secrets, read_environment
from simple_trader.config.limits import hold_raised, limits_of
from simple_trader.config.loader import Config, load, trading_settings, uses_stand_in
from simple_trader.config.reload import settle
from simple_trader.config.schema import Settings
from simple_trader.domain.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
TWO = """providers:
  - name: first
    base_url: https://api.openai.com/v1
    model: gpt-4.1-mini
    key_variable: OPENAI_API_KEY
    price_in: 0.40
    price_out: 1.60
  - name: second
    base_url: https://api.cohere.ai/compatibility/v1
    model: command-a
    answers: json_schema
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with its own templates and tools."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    return tmp_path


def version(place: Path, text: str) -> Config:
    path = place / "config.yaml"
    path.write_text(text + "templates_dir: templates\ntools_dir: tools\n...\n", encoding="utf-8")
    return load(path)


def refused(place: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        version(place, text)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


def test_providers_are_read_in_their_order_with_exact_prices(place: Path) -> None:
    first, second = version(place, TWO).settings.providers
    assert (first.name, first.temperature, first.answers) == ("first", 0.3, "tools")
    assert (first.price_in, first.price_out) == (Decimal("0.40"), Decimal("1.60"))
    assert (second.name, second.answers, second.price_in) == ("second", "json_schema", None)


@pytest.mark.parametrize("flat", ["openai_model: o9", "is_function_calling_model: false"])
def test_flat_keys_and_providers_together_are_refused(place: Path, flat: str) -> None:
    sentence = refused(place, f"{TWO}{flat}\n")
    assert flat.partition(":")[0] in sentence
    assert "say it in providers alone and delete" in sentence


@pytest.mark.parametrize("value", ["ours", "", "{name: ours}"])
@pytest.mark.parametrize("key", ["providers", "shadows"])
def test_what_is_no_list_is_refused_in_our_words(place: Path, key: str, value: str) -> None:
    sentence = refused(place, f"{key}: {value}\n")
    assert f"line 1: {key} must be a list as config.yaml shows it ([] for none)." in sentence


def test_more_entries_than_are_taken_are_counted_in_the_sentence(place: Path) -> None:
    many = ", ".join(f"{{name: s{n}}}" for n in range(9))
    assert "shadows holds 9 entries; it takes 8 at most." in refused(place, f"shadows: [{many}]\n")


def test_a_question_about_a_misspelt_key_ends_the_sentence(place: Path) -> None:
    misspelt = TWO.replace("price_in:", "price_inn:")
    assert refused(place, misspelt).endswith("did you mean price_in?")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: second", "name: first", "stands twice"),
        ("name: first", "name: First", "a-z"),
        ("OPENAI_API_KEY", "KRAKEN_SECRET_API_KEY", "_API_KEY"),
        ("OPENAI_API_KEY", "KRAKEN_API_KEY", "none of Kraken's"),
        ("OPENAI_API_KEY", "POSTGRES_DSN", "_API_KEY"),
        ("model: command-a", "modell: command-a", "did you mean model"),
        ("answers: json_schema", "answers: xml", "tools"),
        ("price_in: 0.40", "price_in: -1", "price_in"),
        ("https://api.openai.com/v1", "https://u:p@api.openai.com/v1", "password"),
        ("model: gpt-4.1-mini", "timeout_seconds: 5", "model"),
    ],
)
def test_a_provider_that_cannot_be_is_refused(place: Path, old: str, new: str, words: str) -> None:
    assert words in refused(place, TWO.replace(old, new, 1))


def test_shadows_name_a_provider_and_a_template_that_are_there(place: Path) -> None:
    found = version(place, TWO + "shadows: [{name: terse, provider: second}]\n")
    assert trading_settings(found).shadows == ("terse",)
    missing = refused(place, TWO + "shadows: [{name: terse, template: terse.mustache}]\n")
    assert "terse.mustache" in missing
    (place / "templates/prompts/terse.mustache").write_text("{{as_of}}\n")
    version(place, TWO + "shadows: [{name: terse, template: terse.mustache}]\n")
    assert "none of the providers" in refused(place, TWO + "shadows: [{name: a, provider: b}]\n")


def test_one_provider_must_be_left_to_trade_on(place: Path) -> None:
    only = TWO.replace("    model:", "    shadow_only: true\n    model:")
    assert "shadow_only" in refused(place, only)
    version(place, TWO.replace("    model: command-a", "    shadow_only: true\n    model: c"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://api.openai.com/v1", None),
        ("https://api.openai.com:443/v1", None),
        ("https://API.OPENAI.COM/v1", None),
        ("http://api.openai.com/v1", "https"),
        ("https://api.openai.com:8443/v1", "own port"),
        ("https://api.openai.com.evil.example/v1", "llm_hosts"),
        ("https://api.openai.co/v1", "llm_hosts"),
        ("https://169.254.169.254/latest", "llm_hosts"),
        ("http://127.0.0.1:11434/v1", "llm_hosts"),
        ("http://[::1]:11434/v1", "llm_hosts"),
        ("https://api.openai.com:99999/v1", "port"),
    ],
)
def test_l19_mode_live_asks_known_hosts_only(url: str, words: str | None) -> None:
    trouble = host_trouble(url, ())
    assert (trouble is None) == (words is None)
    assert words is None or words in str(trouble)


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("http://127.0.0.1:11434/v1", "127.0.0.1:11434"),
        ("http://127.0.0.1:11434/v1", "127.0.0.1"),
        ("http://[::1]:11434/v1", "[::1]:11434"),
        ("https://llm.example.org/v1", "llm.example.org:443"),
    ],
)
def test_l19_a_host_of_ones_own_is_listed_by_name(url: str, listed: str) -> None:
    assert host_trouble(url, (listed,)) is None
    assert host_trouble(url, ("127.0.0.1:1", "other.example")) is not None


def test_l19_an_address_of_another_host_is_refused_in_live_only(place: Path) -> None:
    text = TWO.replace("api.cohere.ai", "10.0.0.7")
    version(place, text)
    assert "llm_hosts" in refused(place, f"mode: live\n{text}")
    assert "llm_hosts" in refused(place, "mode: live\nopenai_base_url: http://127.0.0.1:1/v1\n")
    version(place, f"mode: live\nllm_hosts: [10.0.0.7]\n{text}")
    version(place, f"mode: live\n{TWO}")


def test_l19_no_running_daemon_learns_of_a_further_host(place: Path) -> None:
    text = f"mode: live\n{TWO}"
    running = version(place, text)
    new = version(place, f"llm_hosts: [127.0.0.1]\n{text}")
    change = settle(running, new, limits_of(new.settings))
    assert change.config.settings.llm_hosts == ()
    assert "llm_hosts" in change.notes[0]


def test_every_known_host_is_written_as_it_is_compared() -> None:
    assert all(host == host.lower() and "/" not in host for host in KNOWN_HOSTS)


def test_l17_a_budget_may_be_lowered_at_once_and_raised_by_a_person(place: Path) -> None:
    running = version(place, "llm_budget: {usd_per_day: 10, tokens_per_hour: 1000}\n")
    new = version(place, "llm_budget: {usd_per_day: 20, tokens_per_hour: 500}\n")
    change = settle(running, new, limits_of(running.settings))
    budget = change.config.settings.llm_budget
    assert budget.usd_per_day == Decimal(10)
    assert budget.tokens_per_hour == 500
    assert any("llm_budget.usd_per_day" in note for note in change.notes)
    held, _ = hold_raised(Settings(), {"llm_budget.tokens_per_day": Decimal(7)})
    assert held.llm_budget.tokens_per_day == 7
    assert isinstance(held.llm_budget.tokens_per_day, int)


def test_a_reload_of_the_providers_is_written_down(place: Path) -> None:
    running = version(place, "")
    change = settle(running, version(place, TWO), limits_of(running.settings))
    assert '"gpt-4.1-mini"' in change.after
    assert "providers" in change.before


@pytest.mark.parametrize(
    ("text", "minimum"),
    [
        ("", 0.70),
        ("profile: many_small_trades\n", 0.80),
        ("profile: many_small_trades\nmin_confidence: 0.75\n", 0.75),
        ("profile: many_small_trades\nmin_confidence: 0.9\n", 0.9),
        ("min_confidence: 0.65\n", 0.65),
    ],
)
def test_the_profile_sets_the_confidence_unless_another_was_chosen(
    place: Path, text: str, minimum: float
) -> None:
    assert trading_settings(version(place, text)).min_confidence == minimum


def test_horizons_rise_and_are_few(place: Path) -> None:
    assert trading_settings(version(place, "")).model_horizons == (1, 2, 3, 5, 10)
    for wrong in ("[]", "[2, 1]", "[1, 1]", "[0]", "[97]", "5", "[1, 2, 3, 4, 5, 6, 7, 8, 9]"):
        assert "model_horizons" in refused(place, f"model_horizons: {wrong}\n")


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/v1",
        "http://llm.example:99999/v1",
        "http://llm.example:0/v1",
        "http://llm..example/v1",
        "http://b\u00fccher.example/v1",
        f"http://{'a' * 64}.example/v1",
        "http://llm.example/a b",
        "http://llm.example/v1#part",
        f"http://llm.example/{'a' * 500}",
    ],
)
def test_an_address_that_nothing_can_be_sent_to_is_refused_by_its_key(
    place: Path, url: str
) -> None:
    assert "openai_base_url" in refused(place, f"openai_base_url: {json.dumps(url)}\n")


def test_whoever_names_providers_asks_no_stand_in(place: Path) -> None:
    assert uses_stand_in(version(place, "").settings, Secrets())
    assert not uses_stand_in(version(place, TWO).settings, Secrets())


def test_the_keys_of_further_providers_are_read_and_hidden(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("COHERE_API_KEY=co-canary\nKRAKEN_API_KEY=kr-canary\nX=y\n")
    path.chmod(0o600)
    process = {"MISTRAL_API_KEY": "mi-canary", "EMPTY_API_KEY": " ", "ODD_API_KEY": "a\nb"}
    secrets = read_environment(path, environ=process).secrets
    assert secrets.provider_key("COHERE_API_KEY").reveal() == "co-canary"
    assert secrets.provider_key("MISTRAL_API_KEY").reveal() == "mi-canary"
    assert not secrets.provider_key("KRAKEN_API_KEY")
    assert not secrets.provider_key("EMPTY_API_KEY")
    assert not secrets.provider_key("ODD_API_KEY")
    assert {"co-canary", "mi-canary", "kr-canary"} <= set(secrets.values())
    assert "canary" not in repr(secrets)
