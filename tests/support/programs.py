"""Programs of the system that some tests need: named with their package, skipped where missing.

`make test-system` installs the packages where it may and sets SIMPLE_TRADER_NEED_PROGRAMS: then a
missing program is a failure.
"""

import os
import shutil
from pathlib import Path

import pytest

# Program -> Debian package; scripts/bootstrap.py installs these.
PACKAGES = {
    "systemd-analyze": "systemd",
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
    "setpriv": "util-linux",
}

# Whole daemons for most of a minute, whose rule a shorter test holds too.
at_length = pytest.mark.skipif(
    not os.environ.get("SIMPLE_TRADER_NEED_PROGRAMS"),
    reason="takes most of a minute: it is part of `make test-system`",
)


def need(program: str) -> None:
    """Skip the test that calls this when `program` is missing; fail it under `make test-system`."""
    there = Path(program).exists() if program.startswith("/") else shutil.which(program)
    if there:
        return
    sentence = f"{program} is missing: install the package {PACKAGES[program]}"
    if os.environ.get("SIMPLE_TRADER_NEED_PROGRAMS"):
        pytest.fail(sentence)
    pytest.skip(sentence)
