"""The pace: at most ten messages in any second, half of it once the exchange complained."""

from simple_trader.adapters.kraken.pace import Pace


def sent_at(pace: Pace, until_s: float) -> list[float]:
    """Moments at which one who always wants to speak may."""
    times: list[float] = []
    for step in range(int(until_s * 100)):
        while pace.may_send(step / 100):
            times.append(step / 100)
    return times


def most_in_a_second(times: list[float]) -> int:
    return max(sum(at <= other < at + 1.0 for other in times) for at in times)


def test_no_second_has_more_than_ten_messages() -> None:
    times = sent_at(Pace(0.0), 10.0)
    assert most_in_a_second(times) <= 10
    assert len(times) > 40


def test_a_complaint_slows_down_and_is_forgotten_after_a_while() -> None:
    pace = Pace(0.0)
    pace.exceeded(0.0)
    assert pace.slowed
    assert not pace.may_send(0.1)
    assert len(sent_at(pace, 10.0)) <= 21
    assert pace.may_send(60.0)
    assert not pace.slowed


def test_complaint_after_complaint_never_stops_us_for_good() -> None:
    pace = Pace(0.0)
    for _ in range(20):
        pace.exceeded(1.0)
    assert any(pace.may_send(1.0 + step) for step in range(5))


def test_orders_use_up_what_the_others_may_send() -> None:
    pace = Pace(0.0)
    for _ in range(6):
        pace.spend(0.0)
    assert not pace.may_send(0.0)
    assert pace.may_send(0.5)
