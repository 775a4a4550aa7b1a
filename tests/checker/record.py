"""The plain types of what a checker is given: wire record W, truth E, facts of the run, violations.

Nothing here imports the product. W comes from the virtual wire (`WireLog`, which has the methods of
the sandbox's recorder) or from a file of `sandbox --record` (`load_record`, docs/SANDBOX.md).
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ZERO = Decimal(0)
# Ways of an entry. `sent`: the client handed the frame to its transport (virtual wire only).
WAYS = ("open", "sent", "in", "out", "close", "rest", "fault")
_TOKEN = re.compile(r'("token"\s*:\s*)"([^"]*)"')


@dataclass(frozen=True, slots=True)
class WireEntry:
    """One thing on the wire, in the order of the exchange's receipt (`n` from 1 over the run).

    `at` is market time, `real` the wall clock of the machine (comparable with the database's
    commit stamps). `way`: open, sent, in (client to exchange), out, close, rest, fault. A `rest`
    entry is one request with its answer: `status` 0 means that it was cut without one.
    """

    n: int
    at: datetime
    real: datetime
    way: str
    connection: str = ""
    on: str = ""  # public, private, rest
    text: str = ""  # the frame; of a fault its JSON
    key: str = ""
    method: str = ""
    path: str = ""
    body: str = ""
    status: int = 0
    answer: str = ""

    def frame(self) -> dict[str, Any]:
        """The frame as JSON with exact numbers; empty for what is not a JSON object."""
        return parse_object(self.text)


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object with Decimals for all numbers with a point; empty for anything else."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def moment(text: str) -> datetime:
    """An RFC 3339 moment with any number of digits behind the point."""
    return datetime.fromisoformat(text)


def hashed(secret: str) -> str:
    """What stands for a token or signature in a record."""
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()[:16]


def without_tokens(text: str) -> str:
    """A frame or body with every token replaced by its hash."""
    return _TOKEN.sub(lambda found: f'{found[1]}"{hashed(found[2])}"', text)


class WireLog:
    """W in memory, with the methods of the sandbox's recorder plus `sent`.

    `wall` is the real clock of the machine, `market` the market's clock. One log may go through
    many lives of the daemon and of the exchange: `n` counts on.
    """

    def __init__(self, wall: Callable[[], datetime], market: Callable[[], datetime]) -> None:
        self.entries: list[WireEntry] = []
        self._wall, self._market = wall, market
        self._kinds: dict[str, str] = {}

    def _add(self, way: str, connection: str, **more: Any) -> None:
        on = "rest" if way == "rest" else self._kinds.get(connection, "")
        self.entries.append(
            WireEntry(
                n=len(self.entries) + 1,
                at=self._market(),
                real=self._wall(),
                way=way,
                connection=connection,
                on=on,
                **more,
            )
        )

    def opened(self, connection: int, on: str) -> None:
        """A new connection, `on` public or private."""
        self._kinds[str(connection)] = on
        self._add("open", str(connection))

    def closed(self, connection: int) -> None:
        """The end of a connection as the exchange sees it."""
        self._add("close", str(connection))

    def sent(self, connection: int, text: str) -> None:
        """The client gave a frame to its transport: it may never arrive, but it has left."""
        self._add("sent", str(connection), text=without_tokens(text))

    def frame(self, connection: int, way: str, frame: str | bytes) -> None:
        """One frame that arrived (`in`) or was handed out (`out`)."""
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        self._add(way, str(connection), text=without_tokens(text))

    def request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, status: int,
        answer: bytes,
    ) -> None:  # fmt: skip
        """A REST request and its answer; status 0: cut without one."""
        lower = {name.lower(): value for name, value in headers.items()}
        self._add(
            "rest",
            "",
            key=lower.get("api-key", ""),
            method=method,
            path=path,
            body=without_tokens(body.decode(errors="replace")),
            status=status,
            answer=without_tokens(answer.decode(errors="replace")),
        )

    def fault(self, told: object) -> None:
        """A fault acted."""
        self._add("fault", "", text=json.dumps(told, default=str))


def load_record(path: Path) -> list[WireEntry]:
    """Read what `sandbox --record path` wrote, rotated files first, over restarts of the sandbox.

    A line that a kill cut short is left out. Raises ValueError for a line that is none, or for a
    record of another format.
    """
    older = sorted(
        path.parent.glob(f"{path.name}.*"), key=lambda file: int(file.suffix[1:]), reverse=True
    )
    entries: list[WireEntry] = []
    kinds: dict[str, str] = {}
    life = 0
    for file in [*older, path]:
        lines = file.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            row = _row(line, is_last=not any(lines[number:]), name=f"{file.name}:{number}")
            if row is None:
                continue
            if row["kind"] == "begin":
                if row["format"] != 1:
                    raise ValueError(f"{file.name} is a record of format {row['format']}")
                life += row["n"] == 1
                continue
            entries.append(_entry(row, len(entries) + 1, kinds, life))
    return entries


def _row(line: bytes, *, is_last: bool, name: str) -> dict[str, Any] | None:
    """One line as JSON; what a kill cut short ends the file, or the next start's line follows."""
    if not line:
        return None
    try:
        return json.loads(line, parse_float=Decimal)
    except ValueError as error:
        restart = line.rfind(b'{"n":1,')
        if restart > 0:
            return json.loads(line[restart:], parse_float=Decimal)
        if is_last:
            return None
        raise ValueError(f"{name} is no line of a record") from error


def _entry(row: dict[str, Any], n: int, kinds: dict[str, str], life: int) -> WireEntry:
    head: dict[str, Any] = {"n": n, "at": moment(row["market"]), "real": moment(row["real"])}
    if row["kind"] == "rest":
        return WireEntry(
            **head,
            way="rest",
            on="rest",
            key=row.get("key", ""),
            method=row["method"],
            path=row["path"],
            body=row["body"],
            status=row["status"],
            answer=row["answer"],
        )
    if row["kind"] == "fault":
        return WireEntry(**head, way="fault", text=json.dumps(row["fault"], default=str))
    connection = f"{life}:{row['connection']}"
    if row["way"] == "open":
        kinds[connection] = row["on"]
    text = row.get("text")
    if text is None:
        text = base64.b64decode(row.get("raw", "")).decode(errors="replace")
    return WireEntry(
        **head,
        way=row["way"],
        connection=connection,
        on=kinds.get(connection, ""),
        text=text,
        key=row.get("key", ""),
    )


@dataclass(frozen=True, slots=True)
class Life:
    """One life of a daemon process, in market time; `how` it ended: stop, kill, or empty."""

    begun_at: datetime
    ended_at: datetime | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of market time: a pause of the process, an outage, a clock step."""

    begun_at: datetime
    ended_at: datetime
    what: str = ""


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits in force, as the settings of the run say; None: the run has none of that kind.

    `asset` and `total` are fractions of equity, in [0, 1]; `order_value` and the notionals are
    in units of `currency`.
    """

    currency: str = "USD"
    asset: Decimal | None = None
    total: Decimal | None = None
    order_value: Decimal | None = None
    deadline_s: Decimal = Decimal(5)
    max_age_s: Decimal = Decimal(10)
    orders_per_minute: int | None = None
    notional_per_minute: Decimal | None = None
    notional_per_hour: Decimal | None = None
    notional_per_day: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the harness knows of the run besides W and E.

    `calm_at`: when the last fault ended (the books must agree `recovery` later). `ended_at`: the
    end of the run. `quiescent`: nothing is on its way any more. `halts` are (moment, `halt` or
    `resume`) as an operator gave them. `commit_stamps`: the server tracks commit timestamps.
    """

    started_at: datetime
    ended_at: datetime
    calm_at: datetime | None = None
    quiescent: bool = True
    lives: tuple[Life, ...] = ()
    pauses: tuple[Span, ...] = ()
    outages: tuple[Span, ...] = ()
    halts: tuple[tuple[datetime, str], ...] = ()
    caps: Caps = field(default_factory=Caps)
    prefix: str = "st"
    pairs: tuple[str, ...] = ()
    lag_margin: timedelta = timedelta(seconds=75)
    recovery: timedelta = timedelta(seconds=30)
    commit_stamps: bool = False
    candle: timedelta | None = None  # of the guard: one entry of a pair and side in each
    dead_man_switch: str = "auto"

    def but(self, **changes: Any) -> "Facts":
        """The same with some facts changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold: its id (`I-07`) and a sentence with the numbers."""

    id: str
    text: str

    def __str__(self) -> str:
        return f"{self.id}: {self.text}"


def ids_of(found: Iterable[Violation]) -> set[str]:
    """The ids that were violated."""
    return {one.id for one in found}
