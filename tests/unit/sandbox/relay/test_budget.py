"""The relay never gets its user's address banned."""

from simple_trader.sandbox.relay.budget import MOST, RESERVED, WINDOW_S, ConnectBudget


def test_clients_may_connect_so_often_in_ten_minutes_and_the_relay_itself_a_little_more() -> None:
    budget = ConnectBudget()
    assert sum(budget.take(1.0) for _ in range(500)) == MOST - RESERVED
    assert sum(budget.take(2.0, own=True) for _ in range(500)) == RESERVED
    assert not budget.take(WINDOW_S, own=True)
    assert budget.take(1.0 + WINDOW_S)
    assert MOST < 150
