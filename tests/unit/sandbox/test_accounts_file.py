"""The accounts file: what it can say, and one sentence for whatever is wrong with it."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from simple_trader.sandbox.accounts_file import MONEY, TRADING, default_plan, read_plan
from simple_trader.sandbox.settings import SandboxError

SECRET = "c2FuZGJveC1zZWNyZXQ="
GOOD = f"""
accounts:
  main: {{balances: {{USD: 10000, BTC: 0.123456789}}, volume_30d: 60000, tier: pro, counters: on}}
  other:
keys:
  - key: trader
    secret: {SECRET}
    nonce_window: 10000
    valid_until: 2026-12-01T00:00:00Z
    ip_allow_list: [127.0.0.1]
  - {{key: reader, secret: {SECRET}, account: other, permissions: [query-funds]}}
  - {{key: owner, secret: {SECRET}, permissions: all}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "accounts.yaml"
    path.write_text(text)
    return path


def test_accounts_and_keys_are_read_with_exact_amounts(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, GOOD), counters=False)
    main, other = plan.accounts["main"], plan.accounts["other"]
    assert main.opening == {"USD": Decimal(10000), "BTC": Decimal("0.123456789")}
    assert (main.volume_30d, main.tier, main.counted) == (Decimal(60000), "pro", True)
    assert (other.opening, other.tier, other.counted) == ({}, "intermediate", False)
    trader = plan.keys["trader"]
    assert (trader.account, trader.permissions, trader.nonce_window) == ("main", TRADING, 10000)
    assert trader.valid_until == datetime(2026, 12, 1, tzinfo=UTC)
    assert trader.ip_allow_list == ("127.0.0.1",)
    assert plan.keys["reader"].permissions == ("query-funds",)
    assert set(plan.keys["owner"].permissions) == {*TRADING, *MONEY}


def test_the_key_that_is_there_without_a_file_may_trade_and_not_withdraw() -> None:
    plan = default_plan("k", SECRET, {"USD": Decimal(5)}, counters=True)
    key = plan.keys["k"]
    assert key.may("modify-trades")
    assert key.may("create-ws-token")
    assert not key.may("withdraw-funds")
    assert plan.accounts["main"].counted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file must be a mapping"),
        ("accounts: {main: }\n", "keys must list at least one key"),
        ("accounts: {}\nkeys: [{key: a, secret: b}]\n", "accounts names no account"),
        (GOOD + "more: 1\n", "the file has the unknown field more"),
        (GOOD.replace("60000", "many"), "volume_30d of account main is not a number"),
        (GOOD.replace("USD: 10000", "USD: -1"), "USD of account main is not a usable amount"),
        (GOOD.replace("BTC:", "NOPE:"), "balances of account main name the unknown asset NOPE"),
        (GOOD.replace("USD: 10000", "USD: .inf"), "USD of account main is not"),
        (GOOD.replace("tier: pro", "tier: gold"), "tier of account main must be one of starter"),
        (GOOD.replace("counters: on", "counters: maybe"), "counters of account main must be on"),
        (GOOD.replace("account: other", "account: nobody"), "unknown account nobody"),
        (GOOD.replace("key: reader", "key: trader"), "key trader is listed twice"),
        (GOOD.replace("[query-funds]", "[query-fund]"), "unknown permission query-fund"),
        (GOOD.replace("10000\n", "-1\n"), "nonce_window of key trader must be a whole number"),
        (GOOD.replace("2026-12-01T00:00:00Z", "soon"), "valid_until of key trader"),
        (GOOD.replace("[127.0.0.1]", "127.0.0.1"), "ip_allow_list of key trader must be a list"),
        (GOOD.replace(SECRET, "no base64!"), "secret of key trader is not base64"),
        ("accounts: [", "is not YAML"),
        ("accounts: {main: {}}\nkeys: [{key: a}]\n", "key a needs key and secret"),
    ],
)
def test_whatever_is_wrong_is_said_in_one_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(SandboxError) as refused:
        read_plan(written(tmp_path, text), counters=False)
    message = str(refused.value)
    assert sentence in message
    assert "\n" not in message
    assert message.endswith(".")


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot be read: No such file"):
        read_plan(tmp_path / "none.yaml", counters=False)
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(SandboxError, match="is not YAML"):
        read_plan(path, counters=False)
