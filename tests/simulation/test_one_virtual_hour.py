"""One virtual hour, twice with one seed: the same journal hash, orders sent, no task ended."""

from datetime import timedelta
from decimal import Decimal

import market_parts
import pytest
from virtual_time import run_virtually
from virtual_world import Outcome, live

HOUR = timedelta(hours=1)


def one_hour(dsn: str, folder, seed: int, span: timedelta = HOUR) -> Outcome:
    settings = market_parts.settings(
        aggregator_interval_s=60,
        candle_minutes=1,
        base_order=Decimal(60),
        traded_pairs=("BTC/USD", "ETH/USD", "SOL/USD"),
    )
    return run_virtually(
        lambda loop: live(loop, dsn, settings, seed=seed, span=span, folder=folder)
    )


def assert_it_traded(run: Outcome) -> None:
    assert run.ready
    assert run.state == "RUN"
    assert run.cycles >= 55
    assert run.truth["orders"], "no order was sent"
    assert run.fills == len(run.truth["trades"]) > 0


@pytest.mark.timeout(600)  # two hours of market; a crowded machine takes minutes for them
def test_the_same_seed_gives_the_same_journal_hash(databases, tmp_path) -> None:
    first = one_hour(databases(), tmp_path, seed=7)
    second = one_hour(databases(), tmp_path, seed=7)
    assert_it_traded(first)
    assert first.chain == second.chain
    assert first.truth == second.truth


def test_another_seed_is_another_hour(databases, tmp_path) -> None:
    span = timedelta(minutes=5)
    first = one_hour(databases(), tmp_path, seed=7, span=span)
    second = one_hour(databases(), tmp_path, seed=8, span=span)
    assert first.chain != second.chain
