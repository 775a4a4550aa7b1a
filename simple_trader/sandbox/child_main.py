"""Entry of the daemon's child: `python -m simple_trader.sandbox.child_main OPTIONS` (JSON)."""

import sys
from pathlib import Path

import msgspec

from simple_trader.sandbox.server import run_sandbox
from simple_trader.sandbox.settings import SandboxOptions


def encode_options(options: SandboxOptions) -> str:
    """Options as one command-line argument; holds no secret but the sandbox's well-known one."""
    return msgspec.json.encode(options, enc_hook=str).decode()


def decode_options(text: str) -> SandboxOptions:
    """The options of such an argument."""
    return msgspec.json.decode(text, type=SandboxOptions, dec_hook=lambda kind, raw: Path(raw))


if __name__ == "__main__":
    raise SystemExit(run_sandbox(decode_options(sys.argv[1])))
