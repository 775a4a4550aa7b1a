"""The request to a provider, and what may be shown of it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.provider import ProviderSettings, payload

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {}}}
ASSETS = LlmAssets.of("x", TOOL)


class Key:
    """A secret that shows itself only when asked."""

    def reveal(self) -> str:
        return " sk-canary \n"


def provider(**changes: Any) -> ProviderSettings:
    given: dict[str, Any] = {
        "name": "p",
        "base_url": "https://llm.example/v1",
        "model": "m",
        "api_key": Key(),
    }
    return ProviderSettings(**(given | changes))


def test_a_plain_model_gets_temperature_tokens_and_the_one_tool() -> None:
    body = payload(provider(max_tokens=9), ASSETS, "hello", ("BTC/USD",))
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 9,
        "temperature": 0.3,
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    }


def test_a_reasoning_model_without_tools_gets_neither_temperature_nor_tools() -> None:
    settings = provider(max_tokens=9, is_reasoning=True, reasoning_effort="high", answers="content")
    assert payload(settings, ASSETS, "hello", ()) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 9,
        "reasoning_effort": "high",
    }


def test_i45_the_key_is_trimmed_for_the_wire_and_shown_nowhere() -> None:
    settings = provider()
    assert settings.key == "sk-canary"
    assert "canary" not in f"{settings!r}{settings}"
    assert settings.scrub("no: sk-canary\r\n\x1b[2J" + "x" * 500).startswith("no: *** [2Jxxx")
    assert len(settings.scrub("x" * 500)) == 300


def test_a_server_without_a_key_is_sent_a_word_that_is_none() -> None:
    assert provider(api_key=None).key == "none"
    assert provider(api_key=None).scrub("none of it") == "none of it"


@pytest.mark.parametrize(
    ("base_url", "is_local"),
    [
        ("http://127.0.0.1:8900/advisor/v1", True),
        ("http://localhost:11434/v1", True),
        ("http://[::1]:8080/v1", True),
        ("https://llm.example/v1", False),
        ("http://10.0.0.1/v1", False),
        ("http://localhost.example/v1", False),
    ],
)
def test_only_loopback_is_local(base_url: str, is_local: bool) -> None:
    assert provider(base_url=base_url).is_local is is_local


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_url": ""}, "http://"),
        ({"base_url": "llm.example/v1"}, "http://"),
        ({"base_url": "ftp://llm.example/v1"}, "http://"),
        ({"base_url": "http://\x00/v1"}, "http://"),
        ({"base_url": "http://"}, "no host"),
        ({"base_url": "http://127.0.0.1:99999/v1"}, "no address"),
        ({"base_url": "http://[::1/v1"}, "no address"),
        ({"base_url": "http://llm..example/v1"}, "cannot be"),
        ({"base_url": f"http://{'a' * 64}.example/v1"}, "cannot be"),
        ({"base_url": "http://b\u00fccher.example/v1"}, "cannot be"),
        ({"base_url": f"http://llm.example/{'a' * 2_000}"}, "is longer"),
        ({"base_url": "https://me:secret@llm.example/v1"}, "user name"),
    ],
)
def test_settings_that_cannot_work_name_the_setting(changes: dict[str, Any], said: str) -> None:
    assert said in provider(**changes).fault()
    assert "base_url of p" in provider(**changes).fault()


def test_good_settings_have_no_fault() -> None:
    assert not provider().fault()
    assert not provider(base_url="http://127.0.0.1:8900/advisor/v1", api_key=None).fault()


@pytest.mark.parametrize("key", ["schl\u00fcssel", "a\nb", "\ud800"])
def test_a_key_that_no_header_can_carry_is_told_without_repeating_it(key: str) -> None:
    class Odd:
        def reveal(self) -> str:
            return key

    fault = provider(api_key=Odd()).fault()
    assert "API key of p" in fault
    assert key not in fault


def test_a_strict_schema_is_asked_for_in_the_words_of_openai() -> None:
    body = payload(provider(answers="json_schema"), ASSETS, "hello", ())
    schema = {"name": "f", "strict": True, "schema": {}}
    assert body["response_format"] == {"type": "json_schema", "json_schema": schema}
    assert not {"tools", "tool_choice"} & body.keys()


def test_the_cost_is_exact_and_unknown_without_prices() -> None:
    priced = provider(price_in=Decimal("0.40"), price_out=Decimal("1.60"))
    assert priced.cost(1_234_567, 7) == Decimal("0.493838")
    assert provider(price_in=Decimal(1)).cost(1, 1) is None


def test_what_goes_with_the_prompt_is_kept_and_holds_no_key() -> None:
    plain = msgspec.json.decode(provider(max_tokens=9).params())
    assert plain == {"answers": "tools", "max_tokens": 9, "model": "m", "temperature": 0.3}
    thinks = provider(max_tokens=9, is_reasoning=True, reasoning_effort="low").params()
    assert msgspec.json.decode(thinks) == {
        "answers": "tools", "max_completion_tokens": 9, "model": "m", "reasoning_effort": "low",
    }  # fmt: skip


def test_a_key_that_is_named_and_not_set_is_a_fault_that_says_where() -> None:
    assert "A_API_KEY" in provider(api_key=None, key_variable="A_API_KEY").fault()
    assert provider(api_key=None).fault() == ""
