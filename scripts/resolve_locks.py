"""Resolves requirements/*.txt anew from pyproject.toml (`make lock`); arguments go to uv."""

import subprocess
import sys

from bootstrap import AS_SOURCE, COMPILED, ROOT

WHEELS = ["--only-binary", ":all:", "pyproject.toml"]
AFTER_RUN = ["-c", "requirements/run.txt"]
LOCKS = {
    "run": WHEELS,
    "test": [*WHEELS, "--group=test", *AFTER_RUN],
    "uv": ["--group=uv"],
    "bench": [*WHEELS, "--group=bench", *AFTER_RUN],
    COMPILED: [f"--group={COMPILED}", "-c", "requirements/bench.txt"],
    "clients": ["--only-binary", ":all:", "--no-binary", AS_SOURCE, "--group=clients"],
}


def main(arguments: list[str]) -> int:
    """Resolve each lock; the first that fails ends it with one sentence."""
    base = [sys.executable, "-m", "uv", "pip", "compile", "-q", "--universal"]
    base += ["--python-version", "3.11", "--generate-hashes"]
    base += ["--custom-compile-command", "make lock", *arguments]
    for name, rest in LOCKS.items():
        target = ["-o", f"requirements/{name}.txt"]
        if subprocess.run([*base, *rest, *target], cwd=ROOT, check=False).returncode:
            print(f"requirements/{name}.txt could not be resolved", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
