"""What python-kraken-sdk's own tests expect of Kraken's REST API, the sandbox gives."""

import pytest
from clients_parts import Told

PROGRAM = "sdk_own_calls.py"
PAIRS = ("BTC/USD", "BTC/EUR", "DOT/USD", "ETH/USD")


def test_every_question_about_the_market_is_answered(told: Told) -> None:
    seen = told("the_market_is_read")
    assert {name: said for name, said in seen.items() if said != {"answer": "dict"}} == {}


def test_every_question_about_the_account_is_answered(told: Told) -> None:
    seen = told("the_account_is_read")
    lists = {name for name, said in seen.items() if said == {"answer": "list"}}
    assert lists == {"positions", "position"}
    assert {
        name: said
        for name, said in seen.items()
        if said != {"answer": "dict"} and name not in lists
    } == {}


def test_unknown_ids_are_answered_or_refused_as_an_invalid_order(told: Told) -> None:
    for said in told("unknown_orders_and_trades_are_asked_for").values():
        assert said == {"answer": "dict"} or said["type"] == "KrakenInvalidOrderError", said


def test_a_key_that_may_not_trade_is_refused_before_anything_else_is_looked_at(
    told: Told,
) -> None:
    seen = told("trading_is_tried_without_the_permission")
    assert {said.get("type") for said in seen.values()} == {"KrakenPermissionDeniedError"}, seen


@pytest.mark.parametrize(
    ("case", "texts"),
    [
        ("XBTUSD price", ["10000.0", "1000.1", "1000.0", "1000.0"]),
        ("DOTUSD price", ["2.0000", "12.1000", "13.1050", "4.3259"]),
        ("XBTUSD volume", ["1.00000000", "1.10000000", "1.67000000", "1.93286498"]),
        ("DOTUSD volume", ["2.00000000", "12.15800000", "13.10520930", "4.32595342"]),
    ],
)
def test_the_pairs_have_the_precisions_that_the_suite_counts_on(
    told: Told, case: str, texts: list[str]
) -> None:
    assert told("amounts_are_truncated_by_the_pair")[case] == texts
