"""krakenex 2.2 queries the sandbox as it queries Kraken."""

from decimal import Decimal

from clients_parts import Told

PROGRAM = "krakenex_rest.py"


def test_public_queries_sent_as_posts_are_answered(told: Told) -> None:
    seen = told("public_queries")
    assert all(answer["error"] == [] for answer in seen.values())
    assert seen["time"]["result"]["unixtime"] > 1_700_000_000
    assert len(seen["book"]["result"]["XXBTZUSD"]["asks"]) == 10
    assert set(seen["ticker"]["result"]) == {"XXBTZUSD", "XETHZUSD"}
    assert isinstance(seen["trades"]["result"]["last"], str)


def test_an_order_is_checked_placed_and_cancelled(told: Told) -> None:
    seen = told("a_conditional_order_is_checked_then_placed_and_cancelled")
    assert seen["checked"]["error"] == []
    assert "txid" not in seen["checked"]["result"]
    (txid,) = seen["placed"]["result"]["txid"]
    assert txid in seen["open"]["result"]["open"]
    assert seen["cancelled"]["result"] == {"count": 1}


def test_the_conditional_close_of_its_example_is_understood(told: Told) -> None:
    answer = told("a_conditional_order_is_checked_then_placed_and_cancelled")["with_close"]
    assert answer["error"] == []
    assert answer["result"]["descr"]["close"].startswith("close position @ limit ")


def test_histories_are_paged_by_offset(told: Told) -> None:
    seen = told("trades_and_ledgers_are_paged")
    whole, rest = seen["trades"]["result"], seen["rest"]["result"]
    assert whole["count"] == rest["count"] == len(whole["trades"])
    assert list(rest["trades"].items()) == list(whole["trades"].items())[2:]
    bought = [Decimal(row["amount"]) for row in seen["ledgers"]["result"]["ledger"].values()]
    assert sum(bought) == Decimal(seen["balance"]["result"]["XXBT"])
    assert seen["closed"]["result"]["count"] >= 3


def test_an_error_is_a_list_and_there_is_no_result(told: Told) -> None:
    assert told("errors_are_a_list_beside_no_result") == {
        "unknown_pair": {"error": ["EQuery:Unknown asset pair"]},
        "key": {"error": ["EAPI:Invalid key"]},
        "order": {"error": ["EOrder:Unknown order"]},
    }
