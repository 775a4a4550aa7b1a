"""Writes docs/reference and docs/RELIABILITY.md anew from the code: `make docs`.

Tests check that both are current.
"""

import sys
from pathlib import Path

import make_reliability

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Write every page that differs and name it."""
    # The checkout may not be installed: its own code is the one that is described.
    sys.path.insert(0, str(ROOT))
    from simple_trader.cli.reference import pages

    folder = ROOT / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return make_reliability.main()


if __name__ == "__main__":
    sys.exit(main())
