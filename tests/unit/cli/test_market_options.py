"""The market of a sandbox as the command line tells it."""

from pathlib import Path

import pytest
import typer

from simple_trader.cli.market_options import market_choice
from simple_trader.domain.errors import ConfigError


def csv(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("1600000020,1,1,1,1,1,1\n")
    return path


def test_one_file_is_replayed_as_bitcoin_or_as_the_pair_that_is_named(tmp_path: Path) -> None:
    path = csv(tmp_path, "a.csv")
    assert market_choice([str(path)], None, None, None).replays == (("BTC/USD", path),)
    assert market_choice([str(path)], "eth/usd", None, None).replays == (("ETH/USD", path),)


def test_several_files_each_name_their_pair(tmp_path: Path) -> None:
    first, second = csv(tmp_path, "a.csv"), csv(tmp_path, "b=2.csv")
    choice = market_choice([f"BTC/USD={first}", f"eth/eur={second}"], None, None, None)
    assert choice.replays == (("BTC/USD", first), ("ETH/EUR", second))
    assert market_choice([str(second)], None, None, None).replays == (("BTC/USD", second),)


def test_pairs_and_weather_of_the_generated_market() -> None:
    choice = market_choice(None, None, "crash", "btc/usd, ETH/BTC")
    assert choice == ((), "crash", ("BTC/USD", "ETH/BTC"))


def test_what_does_not_fit_together_is_one_sentence(tmp_path: Path) -> None:
    path = str(csv(tmp_path, "a.csv"))
    with pytest.raises(ConfigError, match="cannot be read"):
        market_choice(["BTC/USD=none.csv"], None, None, None)
    with pytest.raises(ConfigError, match="write a pair such as BTC/USD"):
        market_choice([f"BTCUSD={path}"], None, None, None)
    with pytest.raises(ConfigError, match="--pairs BTC: write a pair"):
        market_choice(None, None, None, "BTC")
    with pytest.raises(typer.BadParameter, match="not of a --replay"):
        market_choice([path], None, "calm", None)
    with pytest.raises(typer.BadParameter, match="write PAIR=FILE"):
        market_choice([path, path], "BTC/USD", None, None)
    with pytest.raises(typer.BadParameter, match="--replay-pair needs"):
        market_choice(None, "BTC/USD", None, None)
