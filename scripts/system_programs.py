"""Installs the packages of the system that `make test-system` needs, where it may."""

import os
import shutil
import subprocess
import sys

# tests/support/programs.py says what each is for; a Node that is there is left as it is.
PACKAGES = ("systemd", "postgresql-15", "util-linux")
NODE_PACKAGES = ("nodejs", "npm")


def main() -> int:
    """Install them as root where there is apt; elsewhere the tests say what is missing."""
    apt = shutil.which("apt-get")
    if apt is None or os.name != "posix" or os.geteuid() != 0:
        return 0
    wanted = [*PACKAGES, *(() if shutil.which("npm") else NODE_PACKAGES)]
    for command in ([apt, "update", "-qq"], [apt, "install", "-y", "-qq", *wanted]):
        subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
