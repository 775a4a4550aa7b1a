"""The exchange's memory on disk: a checkpoint and the journal of everything since.

Each command and market step is one JSON line, written and handed to the operating system before it
is answered, so a killed exchange never forgets what it acknowledged. Recovery loads the newest
checkpoint and carries out the lines after it again; the exchange is deterministic, so that gives
the same state. A cut last line was never answered and is dropped.
"""

import fcntl
import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import msgspec

from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.orders import Command

VERSION = 2


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What a state directory was made for; never changes.

    `pairs` are those it was to list (all when empty), `traded` those that the market generates,
    `replays` the (pair, file) of a replay of several, `relay` the upstream of a paper account.
    """

    version: int
    world: str
    stepped: bool
    seed: int
    replay: str | None
    replay_pair: str
    history_bars: int
    start: int
    pairs: tuple[str, ...] = ()
    replays: tuple[tuple[str, str], ...] = ()
    regime: str = "mixed"
    relay: str = ""
    traded: tuple[str, ...] = ()


class Advanced(msgspec.Struct, frozen=True, tag="advance"):
    """Market time went to `to` (microseconds)."""

    to: int


class Did(msgspec.Struct, frozen=True, tag="do"):
    """A command was carried out at market moment `at`."""

    at: int
    command: Command


class Rebased(msgspec.Struct, frozen=True, tag="rebase"):
    """A stand-alone market went on after a pause: source time maps to another market time."""

    source: int
    market: int
    speed: float


class Printed(msgspec.Struct, frozen=True, tag="print"):
    """Prints that no public tape shows went past the own orders of a pair (the operator)."""

    at: int
    symbol: str
    prints: list[Print]


class Bent(msgspec.Struct, frozen=True, tag="bend"):
    """From `at` until `until` a pair's prices are `millionths` of the source's (the operator)."""

    at: int
    symbol: str
    millionths: int
    until: int


class Relayed(msgspec.Struct, frozen=True, tag="relay", omit_defaults=True):
    """What the venue was shown of a relayed pair at `at`: (tick, lots) that changed, and prints.

    `whole`: the levels are the whole book, after a gap. `lost`: a gap begins, nothing fills.
    `last`: the newest price of the tape in ticks, where prints passed while nobody looked.
    """

    at: int
    symbol: str
    bids: Sequence[tuple[int, int]]
    asks: Sequence[tuple[int, int]]
    prints: list[Print] = []
    whole: bool = False
    lost: bool = False
    last: int | None = None


Record = Advanced | Did | Rebased | Printed | Bent | Relayed

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Record)


class Loaded(msgspec.Struct, frozen=True):
    """What a state directory holds: the newest checkpoint and the records after it."""

    checkpoint: bytes
    records: list[Record]


def read_meta(directory: Path) -> Meta | None:
    """Read what a state directory was made for; None for a new one."""
    path = directory / "meta.json"
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SandboxError(f"sandbox state {path} cannot be read: {error.strerror}.") from error
    try:
        meta = msgspec.json.decode(raw, type=Meta)
    except msgspec.MsgspecError as error:
        raise SandboxError(f"sandbox state {path} is damaged ({error}); use --fresh.") from error
    if meta.version != VERSION:
        raise SandboxError(
            f"sandbox state {directory} has format {meta.version}, this program reads {VERSION}; "
            "use --fresh or the program that made it."
        )
    return meta


class Journal:
    """An open state directory; one process writes, frozen readers only look."""

    def __init__(self, directory: Path, *, frozen: bool) -> None:
        self._directory = directory
        self._frozen = frozen
        self._number = 0
        self._file: FileIO | None = None
        self._length = 0
        self._lock: int | None = None
        try:
            if not frozen:
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._take_lock()
        except OSError as error:
            raise SandboxError(
                f"sandbox state {directory} cannot be opened: {error.strerror}."
            ) from error

    def _take_lock(self) -> None:
        path = self._directory / "lock"
        if self._frozen:
            if not path.exists():
                return
            self._lock = os.open(path, os.O_RDONLY)
        else:
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        kind = fcntl.LOCK_SH if self._frozen else fcntl.LOCK_EX
        try:
            fcntl.flock(self._lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            raise SandboxError(
                f"sandbox state {self._directory} is in use by a running sandbox; stop that first."
            ) from None

    def create(self, meta: Meta, checkpoint: bytes) -> None:
        """Begin a new world: its first checkpoint, then its meta file, which makes it count."""
        self._write("checkpoint-00000000.msgpack", checkpoint)
        self._write("meta.json", msgspec.json.encode(meta))
        self._file, self._length = self._new_segment(0), 0

    def load(self) -> Loaded:
        """Read the newest checkpoint and the records after it, and go on behind them."""
        numbers = sorted(
            int(path.stem.split("-")[1]) for path in self._directory.glob("checkpoint-*.msgpack")
        )
        if not numbers:
            raise SandboxError(f"sandbox state {self._directory} has no checkpoint; use --fresh.")
        self._number = numbers[-1]
        checkpoint = (self._directory / f"checkpoint-{self._number:08}.msgpack").read_bytes()
        records, length = self._read_records()
        if not self._frozen:
            self._file, self._length = self._new_segment(self._number, length), length
            self._forget_old()
        return Loaded(checkpoint, records)

    def _read_records(self) -> tuple[list[Record], int]:
        path = self._segment(self._number)
        raw = path.read_bytes() if path.exists() else b""
        lines = raw.split(b"\n")
        records: list[Record] = []
        length = 0
        # What stands behind the last line end was cut off while it was written.
        for number, line in enumerate(lines[:-1], start=1):
            try:
                records.append(_DECODER.decode(line))
            except msgspec.MsgspecError as error:
                if number == len(lines) - 1:
                    break
                raise SandboxError(
                    f"sandbox journal {path}, line {number}, is damaged ({error}); use --fresh."
                ) from error
            length += len(line) + 1
        return records, length

    def append(self, record: Record) -> None:
        """Write one record and hand it to the operating system."""
        if self._file is None:
            raise SandboxError("this sandbox is frozen and takes no commands.")
        line = _ENCODER.encode(record) + b"\n"
        try:
            written = self._file.write(line)
        except OSError as error:
            raise self._unwritable(str(error.strerror)) from error
        if written != len(line):
            # A full disk takes a part: what was cut must not stand before the next record.
            self._file.truncate(self._length)
            raise self._unwritable("the disk is full")
        self._length += len(line)

    def _unwritable(self, why: str) -> SandboxError:
        return SandboxError(f"sandbox journal in {self._directory} cannot be written: {why}.")

    def checkpoint(self, state: bytes) -> None:
        """Put the whole state down and begin a new journal segment behind it.

        When that fails (SandboxError) the old checkpoint and segment simply go on.
        """
        if self._file is None:
            return
        following = self._number + 1
        # The segment first: without its checkpoint it does not count yet.
        segment = self._new_segment(following)
        try:
            self._write(f"checkpoint-{following:08}.msgpack", state)
        except SandboxError:
            segment.close()
            raise
        self._file.close()
        self._file, self._length, self._number = segment, 0, following
        self._forget_old()

    def close(self) -> None:
        """Let go of the directory."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _segment(self, number: int) -> Path:
        return self._directory / f"journal-{number:08}.jsonl"

    def _new_segment(self, number: int, length: int = 0) -> FileIO:
        try:
            # Unbuffered: each write goes straight to the operating system.
            segment = FileIO(self._segment(number), "ab")
            segment.truncate(length)
        except OSError as error:
            raise self._unwritable(str(error.strerror)) from error
        return segment

    def _write(self, name: str, content: bytes) -> None:
        path = self._directory / name
        draft = path.with_suffix(path.suffix + ".tmp")
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise SandboxError(
                f"sandbox state {path} cannot be written: {error.strerror}."
            ) from error

    def _forget_old(self) -> None:
        for path in self._directory.glob("*-*.*"):
            digits = path.stem.split(".")[0].split("-")[-1]
            if digits.isdigit() and int(digits) < self._number:
                path.unlink(missing_ok=True)
