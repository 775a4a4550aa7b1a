"""Puts the Node programs of package-lock.json into the folder that is named; without npm, nothing.

python3 tests/clients/node/install.py FOLDER; standard library only (scripts/bootstrap.py runs it).
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(folder: Path) -> int:
    """Install what the lock names, checked by its hashes; no package may run a script."""
    npm = shutil.which("npm")
    if npm is None:
        print("bootstrap: no npm here: the Node clients are left out", file=sys.stderr)
        return 0
    lock, done = HERE / "package-lock.json", folder / ".ready"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    for path in (HERE / "package.json", lock):
        shutil.copy(path, folder)
    quiet = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    code = subprocess.run([npm, "ci", *quiet], cwd=folder, check=False).returncode
    if code == 0:
        shutil.copy(lock, done)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
