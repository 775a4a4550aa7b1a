"""Frames: everything that can arrive is typed or called unreadable, and nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kraken_parts import HEARTBEAT, STATUS, TICKER, TRADE, executions

from simple_trader.adapters.kraken import wire


def test_a_connection_id_beyond_sixty_four_bits_is_exact() -> None:
    message = wire.read(STATUS.replace("11043817702341890007", "99999999999999999999999"))
    assert isinstance(message, wire.StatusFrame)
    assert wire.read_status(bytes(message.data))[0].connection_id == 99999999999999999999999


@pytest.mark.parametrize("frame", [TICKER, TICKER.encode()])
def test_text_and_bytes_read_alike(frame: str | bytes) -> None:
    assert isinstance(wire.read(frame), wire.TickerFrame)


def test_a_heartbeat_has_neither_type_nor_data() -> None:
    assert isinstance(wire.read(HEARTBEAT), wire.HeartbeatFrame)


def test_replies_come_with_sorted_keys_and_without_success() -> None:
    pong = wire.read('{"method":"pong","req_id":3,"time_in":"a","time_out":"b"}')
    assert isinstance(pong, wire.Reply)
    assert (pong.method, pong.req_id, pong.success) == ("pong", 3, None)
    refusal = wire.read('{"error":"Malformed request","method":"error","success":false}')
    assert isinstance(refusal, wire.Reply)
    assert refusal.error == "Malformed request"


@pytest.mark.parametrize(
    "frame",
    [
        "CloudFlare WebSocket proxy restarting",
        "",
        "[]",
        "1",
        "null",
        '{"Error":"Exceeded msg rate"}',
        '{"channel":"level9","data":[]}',
        '{"channel":"ticker","data":{}}',
        '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD"}]}',
        b"\xff\xfe",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"channel":7}',
    ],
)
def test_garbage_is_unreadable_and_does_not_raise(frame: str | bytes) -> None:
    assert isinstance(wire.read(frame), wire.Unreadable)


def test_an_unreadable_frame_of_a_channel_names_it() -> None:
    message = wire.read('{"channel":"executions","type":"update","data":[],"sequence":"x"}')
    assert isinstance(message, wire.Unreadable)
    assert message.channel == "executions"


@given(st.text() | st.binary())
def test_no_text_at_all_raises(frame: str | bytes) -> None:
    wire.read(frame)


def test_the_text_of_each_execution_is_kept() -> None:
    message = wire.read(executions(3, TRADE))
    assert isinstance(message, wire.ExecutionsFrame)
    assert bytes(message.data[0]).decode() == TRADE
