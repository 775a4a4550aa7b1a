"""Nothing private leaves through the relay, and everything public does."""

import json
from typing import Any

import pytest

from simple_trader.sandbox.relay.gate import (
    MALFORMED,
    UNAVAILABLE,
    is_public_form,
    is_public_path,
    judge_frame,
)


@pytest.mark.parametrize(
    "frame",
    [
        '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":10}}',
        '{"method":"subscribe","params":{"channel":"book","symbol":["NO/PAIR"],"depth":11}}',
        '{"method":"subscribe","params":{"channel":"nonsense"},"req_id":7}',
        '{"method":"subscribe","params":{"channel":"instrument","include_tokenized_assets":true}}',
        '{"method":"unsubscribe","params":{"channel":"ticker","symbol":["BTC/USD"]}}',
        ' {"method" : "ping" , "req_id" : 3 }\n',
        '{"method":"unknown_to_everyone"}',
        "this is no JSON",
        "[1,2,3]",
        "{}",
    ],
)
def test_a_public_frame_passes(frame: str) -> None:
    assert judge_frame(frame) is None


@pytest.mark.parametrize(
    "frame",
    [
        '{"method":"add_order","params":{"symbol":"BTC/USD","order_qty":1}}',
        '{"method":"cancel_all","req_id":3}',
        '{"method":"batch_add","params":{}}',
        '{"method":"subscribe","params":{"channel":"executions"}}',
        '{"method":"subscribe","params":{"channel":"balances"}}',
        '{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD"],"token":"x"}}',
        '{"method":"ping","token":"x"}',
        '{"method":"ping","a":[{"b":{"API-Key":"x"}}]}',
        '{"method":"ping","Api_Sign":"x"}',
        '{"method":"something_new","params":{"nonce":1}}',
        r'{"method":"ping","\u0074oken":"x"}',
    ],
)
def test_a_private_frame_stays(frame: str) -> None:
    stays = judge_frame(frame)
    assert stays is not None
    assert stays.error == UNAVAILABLE


@pytest.mark.parametrize(
    "frame",
    [
        '{"method":"add_order","method":"ping"}',
        '{"method":"ping","params":{"token":"x","token":1}}',
        '{"method":"add_order","params":{"token":"x"}',
        r'{"method":"add_order","params":{"\u0074oken":"x"}',
        '[{"token":"x"}]',
    ],
)
def test_a_frame_that_two_readers_may_read_differently_stays(frame: str) -> None:
    stays = judge_frame(frame)
    assert stays is not None
    assert stays.error == MALFORMED


def test_the_answer_to_what_stays_is_the_exchanges_own() -> None:
    stays = judge_frame('{"method":"add_order","params":{"token":"x"},"req_id":12}')
    assert stays is not None
    text = stays.answer(1_772_445_600_000_000)
    answer: dict[str, Any] = json.loads(text)
    assert list(answer) == sorted(answer)
    assert answer == {
        "error": UNAVAILABLE,
        "method": "add_order",
        "req_id": 12,
        "success": False,
        "time_in": "2026-03-02T10:00:00.000000Z",
        "time_out": "2026-03-02T10:00:00.000000Z",
    }


@pytest.mark.parametrize(
    ("path", "passes"),
    [
        ("/0/public/Ticker", True),
        ("/0/public/OHLC", True),
        ("/0/private/Balance", False),
        ("/0/public/../private/Balance", False),
        ("/0/public/%2e%2e/private/Balance", False),
        ("/0/public//private", False),
        ("/0/public/", False),
        ("/0/public/Ticker\n", False),
        ("//evil.example/0/public/Ticker", False),
    ],
)
def test_only_the_public_paths_of_rest_pass(path: str, passes: bool) -> None:
    assert is_public_path(path) is passes


@pytest.mark.parametrize(
    ("form", "passes"),
    [
        ("pair=XBTUSD&interval=1", True),
        ("pair=NOTPUSD&asset=token", True),
        ("", True),
        ("nonce=1", False),
        ("pair=XBTUSD&API-Key=x", False),
        ("%6eonce=1", False),
        ("otp=123456", False),
    ],
)
def test_a_form_with_a_private_name_does_not_pass(form: str, passes: bool) -> None:
    assert is_public_form(form) is passes
