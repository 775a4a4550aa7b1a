"""Finds the state directory and asks the daemon that runs there, also with a broken config.yaml."""

import http.client
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simple_trader.adapters.store.state_directory import default_state_dir
from simple_trader.config.env import current_environment, read_environment
from simple_trader.config.loader import find_config, find_env_file
from simple_trader.config.options import RunOptions
from simple_trader.telemetry.presence import DaemonInfo


def state_directory(options: RunOptions) -> Path:
    """--state-dir, else SIMPLE_TRADER_STATE_DIR, else the default; config.yaml is not read."""
    if options.state_dir is not None:
        return options.state_dir.absolute()
    place = current_environment().get("SIMPLE_TRADER_STATE_DIR", "").strip()
    if place and options.env_file is None:
        return Path(place).expanduser().absolute()  # a broken .env must not hold up a halt
    env_file = find_env_file(options.env_file, find_config(options.config_path))
    environment = read_environment(env_file)
    found = environment.state_dir or default_state_dir(
        environment.variables, is_root=os.geteuid() == 0
    )
    return found.absolute()


def ask_health(info: DaemonInfo | None) -> dict[str, Any] | None:
    """What GET /health of a running daemon says; None when it does not answer in two seconds."""
    if info is None:
        return None
    address = urlsplit(info.health_url)
    if not address.hostname or not address.port:
        return None
    line = http.client.HTTPConnection(address.hostname, address.port, timeout=2.0)
    try:
        line.request("GET", address.path)
        answer = json.loads(line.getresponse().read(65_536))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        line.close()
    return answer if isinstance(answer, dict) else None
