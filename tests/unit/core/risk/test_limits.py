"""Room under the caps: never below zero, and none while the account cannot be valued."""

from brain_desk import D, settings

from simple_trader.core.risk.exposure import Exposure
from simple_trader.core.risk.limits import Room, room_for


def test_room_is_the_cap_minus_what_is_out_there() -> None:
    seen = Exposure({"BTC": D(100), "ETH": D(50)}, ())
    assert room_for("BTC", seen, D(1000), settings()) == Room(D("250.00"), D("650.0"))
    assert room_for("SOL", seen, D(1000), settings()) == Room(D("350.00"), D("650.0"))


def test_room_is_never_negative() -> None:
    assert room_for("BTC", Exposure({"BTC": D(900)}, ()), D(1000), settings()) == Room(D(0), D(0))


def test_without_equity_or_a_price_there_is_no_room() -> None:
    nothing = Room(D(0), D(0))
    assert room_for("BTC", Exposure({}, ()), None, settings()) == nothing
    assert room_for("BTC", Exposure({}, ("SOL",)), D(1000), settings()) == nothing
