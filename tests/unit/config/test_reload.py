"""A running daemon takes no more from a new version than a person allowed."""

import shutil
from pathlib import Path

import pytest

from simple_trader.config.limits import limits_of
from simple_trader.config.loader import Config, load
from simple_trader.config.reload import settle

ROOT = Path(__file__).resolve().parents[3]
ARMED = "mode: live\nplace_live_orders: true\ntraded_pairs: [BTC/USD]\nmax_asset_exposure: 0.1\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with its own templates and tools."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    return tmp_path


def version(place: Path, text: str) -> Config:
    path = place / "config.yaml"
    path.write_text(text + "templates_dir: templates\ntools_dir: tools\n", encoding="utf-8")
    return load(path)


def test_pt13_an_armed_daemon_takes_no_raised_limit_and_no_new_pair_without_a_new_arming(
    place: Path,
) -> None:
    running = version(place, ARMED)
    wider = ARMED.replace("[BTC/USD]", "[BTC/USD, ETH/USD]").replace("0.1", "0.2")
    new = version(place, wider)
    change = settle(running, new, limits_of(new.settings))  # accepted, but not armed
    assert change.config.settings.traded_pairs == ("BTC/USD",)
    assert limits_of(change.config.settings) == limits_of(running.settings)
    assert [note for note in change.notes if "simple-trader arm" in note]


def test_pt13_an_armed_daemon_takes_a_lowered_limit_at_once(place: Path) -> None:
    running = version(place, ARMED)
    new = version(place, ARMED.replace("0.1", "0.05"))
    change = settle(running, new, limits_of(running.settings))
    assert change.config.settings == new.settings
    assert change.notes == ()


def test_what_is_not_armed_takes_what_was_accepted(place: Path) -> None:
    text = ARMED.replace("place_live_orders: true\n", "")
    running = version(place, text)
    new = version(place, text.replace("0.1", "0.2"))
    change = settle(running, new, limits_of(new.settings))
    assert change.config.settings == new.settings
