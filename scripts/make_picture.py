"""Draws docs/pictures/terminal.svg: the last frame of a real run on a pseudo-terminal.

    .venv/bin/python scripts/make_picture.py [--seconds 100]

The state directory is written as STATE; fonts that a browser would fetch are left out.
"""

import argparse
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "pictures" / "terminal.svg"
COLUMNS, ROWS = 118, 40
CLEAR = "\x1b[J"  # every frame begins with it
_FETCHED_FONTS = re.compile(r"\s*@font-face \{\{.*?\}\}(?=\s)", re.DOTALL)


def last_frame(seconds: float, state_dir: Path) -> str:
    """What the terminal shows when `main.py --for SECONDS` ends, colours included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    command = [sys.executable, "main.py", "--for", f"{seconds:g}", "--state-dir", str(state_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as daemon:
        os.close(theirs)
        shown = b""
        while part := _read(ours):
            shown = (shown + part)[-100_000:]
        os.close(ours)
    if daemon.returncode:
        raise SystemExit(shown.decode(errors="replace"))
    frame = shown.decode(errors="replace").rpartition(CLEAR)[2].replace("\r\n", "\n")
    return frame.replace(str(state_dir), "STATE")


def _read(handle: int) -> bytes:
    """The next bytes of the terminal; none when its last writer is gone."""
    try:
        return os.read(handle, 65_536)
    except OSError:  # Linux says EIO
        return b""


def draw(frame: str) -> str:
    """The frame as SVG."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(frame))
    frame_without_fonts = _FETCHED_FONTS.sub("", CONSOLE_SVG_FORMAT)
    return console.export_svg(title="make run", theme=MONOKAI, code_format=frame_without_fonts)


def main() -> int:
    """Run the daemon, then draw."""
    parser = argparse.ArgumentParser(description="Draws the terminal of a real run.")
    parser.add_argument("--seconds", type=float, default=100.0, help="how long the daemon runs")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        state_dir = Path(folder)
        state_dir.chmod(0o711)  # as root, the database server is somebody else
        frame = last_frame(seconds, state_dir)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw(frame), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
