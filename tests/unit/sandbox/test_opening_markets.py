"""Which market an exchange opens with, and that a kept one stays the one it was."""

from pathlib import Path

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.instruments import DEFAULT_SYMBOLS, INSTRUMENT_BY_SYMBOL


def test_the_daemon_s_market_has_eight_pairs_and_one_alone_has_the_whole_table() -> None:
    assert tuple(parts.exchange(seed=2).pairs) == DEFAULT_SYMBOLS
    alone = parts.exchange(seed=2, stepped=False)
    assert set(alone.pairs) == set(INSTRUMENT_BY_SYMBOL)
    assert len(alone.pairs) >= 36


def test_chosen_pairs_are_the_only_ones_though_their_legs_move_unseen() -> None:
    there = parts.exchange(seed=2, stepped=False, pairs=("ETH/BTC",))
    assert list(there.pairs) == ["ETH/BTC"]
    errors, rows = parts.public(there, "AssetPairs")
    assert (errors, list(rows)) == ([], ["XETHXXBT"])
    _, assets = parts.public(there, "Assets")
    assert "ZUSD" not in assets


def test_a_kept_market_keeps_its_weather_and_refuses_another(tmp_path: Path) -> None:
    there = parts.exchange(seed=2, regime="thin", state=tmp_path / "s")
    parts.step(there, 20)
    book = there.book("BTC/USD").top(0, 100)
    there.close()
    again = parts.exchange(state=tmp_path / "s", seed=None)
    assert again.world == "seed 2, regime thin"
    assert again.book("BTC/USD").top(0, 100) == book
    assert len(book) < 50
    again.close()
    with pytest.raises(SandboxError, match="holds another world"):
        parts.exchange(state=tmp_path / "s", seed=2, regime="calm")


def test_an_unknown_weather_is_one_sentence() -> None:
    with pytest.raises(SandboxError, match="--regime storm is unknown; choose one of mixed"):
        parts.exchange(regime="storm")


def test_the_same_seed_and_regime_give_the_same_books_and_tape_again() -> None:
    def run() -> list[object]:
        there = parts.exchange(seed=9, regime="crash", pairs=("SOL/BTC", "BTC/USD"))
        parts.step(there, 60)
        return [
            (list(there.market(symbol).tape), there.book(symbol).top(0, 50))
            for symbol in there.pairs
        ]

    assert run() == run()
