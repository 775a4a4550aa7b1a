"""The REST call counter, by tier and endpoint."""

from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

SECRET = "c2FuZGJveC1zZWNyZXQ="


def there(tmp_path: Path, tier: str, wall: parts.Wall, **options: Any) -> parts.Signed:
    path = tmp_path / "accounts.yaml"
    path.write_text(
        f"accounts: {{main: {{balances: {{USD: 1000}}, tier: {tier}, counters: on}}}}\n"
        f"keys: [{{key: k, secret: {SECRET}}}]\n"
    )
    return parts.Signed(parts.exchange(wall, accounts=path, **options), "k", SECRET)


def calls_until_refused(rest: parts.Signed, name: str) -> int:
    for count in range(100):
        errors, _ = rest.request(name)
        if errors:
            assert errors == ["EAPI:Rate limit exceeded"]
            return count
    raise AssertionError("never refused")


@pytest.mark.parametrize(
    ("tier", "most", "decay_s"),
    [("starter", 15, 3.04), ("intermediate", 20, 2.0), ("pro", 20, 1.0)],
)
def test_the_counter_fills_and_decays_by_tier(
    tmp_path: Path, tier: str, most: int, decay_s: float
) -> None:
    wall = parts.Wall()
    rest = there(tmp_path, tier, wall)
    assert calls_until_refused(rest, "Balance") == most
    wall.pass_seconds(decay_s)
    assert calls_until_refused(rest, "Balance") == 1


@pytest.mark.parametrize(
    ("name", "count"),
    [("Ledgers", 5), ("TradesHistory", 5), ("ClosedOrders", 5), ("OpenOrders", 20)],
)
def test_history_costs_four_and_the_rest_one(tmp_path: Path, name: str, count: int) -> None:
    assert calls_until_refused(there(tmp_path, "pro", parts.Wall()), name) == count


def test_history_costs_what_the_switch_says(tmp_path: Path) -> None:
    rest = there(tmp_path, "pro", parts.Wall(), rules=("history_cost=2",))
    assert calls_until_refused(rest, "Ledgers") == 10


def test_order_calls_do_not_count_here_unless_the_switch_says_so(tmp_path: Path) -> None:
    rest = there(tmp_path, "starter", parts.Wall())
    for _ in range(40):
        assert rest.request("CancelAll")[0] == []
    counted = there(tmp_path, "starter", parts.Wall(), rules=("orders_count_rest=true",))
    assert calls_until_refused(counted, "CancelAll") == 15


def test_an_account_without_counters_is_never_refused() -> None:
    rest = parts.Signed(parts.exchange())
    for _ in range(60):
        assert rest.request("Balance")[0] == []


def test_public_calls_are_limited_by_address_when_asked_for() -> None:
    wall = parts.Wall()
    there = parts.exchange(wall, rules=("public_limit=2",))

    def ask(peer: str) -> bytes:
        return there.rest("GET", "/0/public/Time", {}, b"", peer)[1]

    answers = [ask("10.0.0.1") for _ in range(3)]
    assert [b"Rate limit" in answer for answer in answers] == [False, False, True]
    assert b"Rate limit" not in ask("10.0.0.2")
    wall.pass_seconds(1)
    assert b"Rate limit" not in ask("10.0.0.1")
