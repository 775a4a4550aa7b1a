"""Announcements: what the exchange advises, in any shape (X23)."""

import pytest

from simple_trader.adapters.kraken.announcements import advice


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ('{"phase":"30m","action":"reduce_activity"}', "reduce"),
        ('{"phase":"5m","action":"cancel_open_orders"}', "cancel"),
        ('{"phase":"5m","action":"stop_new_orders"}', "stop"),
        ('{"phase":"30s","action":"disconnect_and_wait"}', "disconnect"),
        ('{"in":"30m","advice":["cancel_open_orders","stop_new_orders"]}', "stop"),
        ('{"phase":"24h"}', "reduce"),
        ('{"phase":"announced","action":"take_a_break"}', "reduce"),
        ('{"phase":"30s"}', "stop"),
        ('{"emergency":["trading"]}', "stop"),
    ],
)
def test_x23_the_strictest_advice_counts_and_a_near_unknown_one_stops(
    said: str, action: str
) -> None:
    assert advice(said) == action
