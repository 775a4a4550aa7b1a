"""What a sandbox can be told; `cli` and the daemon hand these values down."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec

DEFAULT_KEY = "sandbox-key"
DEFAULT_SIGNING_TEXT = "c2FuZGJveC1zZWNyZXQ="
KRAKEN_REST = "https://api.kraken.com"
KRAKEN_PUBLIC = "wss://ws.kraken.com/v2"
DEFAULT_SEED = 1
DEFAULT_PORT = 8900
DAEMON_CAPITAL = Decimal(1000)
ALONE_CAPITAL = Decimal(10000)
DEFAULT_HISTORY_BARS = 720


class SandboxError(Exception):
    """Why the sandbox cannot start or go on, in one sentence that names the fix."""


class SandboxOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a sandbox.

    `seed`: of the generated market and of the paths inside replayed bars; None takes that of the
    state directory, else 1. `replay` and `replay_pair`: replay this file as this pair; `replays`:
    several (pair, file) at once, merged in time. `regime`: script of the generated market
    (`regimes.SCRIPTS`); None takes that of the state directory, else `mixed`.
    `history_bars`: bars served as history before the start (minutes in a generated market).
    `state`: directory of journal and checkpoints; None keeps nothing. `stepped`: market time moves
    by the control socket only; else the market runs `speed` times as fast as the wall clock.
    `child`: port 0, one JSON line on stdout, ends at end-of-file on stdin, ignores SIGINT.
    `capital`: opening USD balance of a new world. `pairs`: trade these only; empty means the first
    eight of the table when stepped, and all of them otherwise.
    `start`: first moment of a new generated market (stepped only; else now).
    `frozen`: serve a state without ever changing it; a state made by a daemon is always served so
    when `stepped` is false.
    `relay`: no market of its own, Kraken's live public feed instead (`relay_rest`, `relay_public`:
    its addresses, or those of a sandbox on this machine); `pairs` are then those whose books are
    followed from the start, `relay_latency_ms` is how long an order is on its way (shortest,
    longest), `relay_depth` the levels of the books that own orders fill on.
    `faults`: lines such as `N02 after=100`, `fault_file`: a YAML file of them, `chaos`: `SEED,RATE`
    draws them; `record`: append every byte of the wire to this file; `tls_self_signed`: serve TLS
    with a certificate that nobody trusts.
    `accounts`: YAML file of accounts and keys; None: one account, one key (`key`, `secret`).
    `rules`: `name=value` switches of `rules.SurfaceRules` and the simulator's `VenueRules`.
    `rest_lag_s`: private REST tells the state of that many market seconds ago. `counters`: whether
    rate counters limit an account that says nothing of it; None: only when not stepped.
    `mixed_replies`: some order responses come after their execution events, drawn by the seed.
    """

    seed: int | None = None
    replay: Path | None = None
    replay_pair: str = "BTC/USD"
    replays: tuple[tuple[str, Path], ...] = ()
    regime: str | None = None
    history_bars: int = DEFAULT_HISTORY_BARS
    speed: float = 1.0
    state: Path | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    capital: Decimal | None = None
    pairs: tuple[str, ...] = ()
    start: datetime | None = None
    stepped: bool = False
    child: bool = False
    advisor: bool = True
    frozen: bool = False
    mixed_replies: bool = False
    accounts: Path | None = None
    rules: tuple[str, ...] = ()
    rest_lag_s: float = 0.0
    counters: bool | None = None
    relay: bool = False
    relay_rest: str = KRAKEN_REST
    relay_public: str = KRAKEN_PUBLIC
    relay_latency_ms: tuple[int, int] = (30, 250)
    relay_depth: int = 100
    faults: tuple[str, ...] = ()
    fault_file: Path | None = None
    chaos: str | None = None
    record: Path | None = None
    tls_self_signed: bool = False
    key: str = DEFAULT_KEY
    secret: str = DEFAULT_SIGNING_TEXT
