"""Where the state lives by default."""

from pathlib import Path

import pytest

from simple_trader.adapters.store.state_directory import default_state_dir


def test_root_keeps_its_state_with_the_system() -> None:
    assert default_state_dir({"HOME": "/home/a"}, is_root=True) == Path("/var/lib/simple-trader")


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "/home/a"}, "/home/a/.local/state/simple-trader"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/data/state"}, "/data/state/simple-trader"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "state"}, "/home/a/.local/state/simple-trader"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": ""}, "/home/a/.local/state/simple-trader"),
    ],
)
def test_a_user_keeps_it_where_the_xdg_rules_say(environment: dict[str, str], folder: str) -> None:
    assert default_state_dir(environment, is_root=False) == Path(folder)
