"""Which program runs: its version, and the hash of the code that decides."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import simple_trader

_DECIDES = ("core", "domain")
_DIGITS = 12


@cache
def program_name() -> str:
    """`0.5.0 (1f2e3d4c5b6a)`: two programs of one name make the same decisions of one journal."""
    root = Path(simple_trader.__file__).resolve().parent
    digest = sha256()
    for room in _DECIDES:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0")
            digest.update(path.read_bytes())
    return f"{simple_trader.__version__} ({digest.hexdigest()[:_DIGITS]})"
