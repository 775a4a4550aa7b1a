"""Where the daemon keeps its state when nobody names a place."""

from collections.abc import Mapping
from pathlib import Path

_OF_THE_SYSTEM = Path("/var/lib/simple-trader")


def default_state_dir(environment: Mapping[str, str], *, is_root: bool) -> Path:
    """Root: /var/lib/simple-trader. Others: XDG_STATE_HOME, else ~/.local/state.

    `environment` is handed in, as only config reads the process's own. A relative XDG_STATE_HOME is
    ignored, as the XDG base directory specification says.
    """
    if is_root:
        return _OF_THE_SYSTEM
    named = Path(environment.get("XDG_STATE_HOME", ""))
    home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
    base = named if named.is_absolute() else home / ".local" / "state"
    return base / "simple-trader"
