"""The logs: JSON lines in two rotating files and a readable console, secrets masked everywhere.

Any room logs with the standard library's `logging`; `extra` may carry pair, decision, cl_ord_id and
reason, and `told` for what the sender says on stderr itself. A thread of its own writes, so that a
slow disk never holds up the event loop.
"""

import copy
import json
import logging
import logging.handlers
import queue
import sys
import traceback
from collections import deque
from collections.abc import MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import structlog

from simple_trader.telemetry.log_file import SturdyFile, tell_stderr
from simple_trader.telemetry.masking import Masker, block, one_line

MAIN_LOG = "trading_system.log"
ERROR_LOG = "errors.log"
FIELDS = ("pair", "decision", "cl_ord_id", "reason")
_QUEUE_SIZE = 20_000
_RECENT = 8
# Libraries that would log addresses, headers or bodies below this level.
_QUIET = (
    "aiohttp", "alembic", "asyncio", "httpcore2", "httpx2", "openai", "sqlalchemy", "watchfiles",
    "websockets",
)  # fmt: skip


class Logs:
    """Owns the root logger from `start` to `stop`; also a context manager."""

    def __init__(
        self,
        directory: Path,
        *,
        level: str = "info",
        secrets: tuple[str, ...] = (),
        console: TextIO | None = None,
        colours: bool = False,
    ) -> None:
        """Write below `directory`; `console` None is a silent console (the live view has it)."""
        masker = Masker(secrets)
        self.directory = directory
        self.recent: deque[str] = deque(maxlen=_RECENT)  # warnings and errors for the live view
        self._queue: queue.Queue[logging.LogRecord] = queue.Queue(_QUEUE_SIZE)
        self._entry = _Entry(self._queue)
        self._main = SturdyFile(directory / MAIN_LOG)
        self._errors = SturdyFile(directory / ERROR_LOG)
        self._main.setLevel(level.upper())
        self._errors.setLevel(logging.WARNING)
        machine = _formatter(masker, _json_line)
        self._main.setFormatter(machine)
        self._errors.setFormatter(machine)
        self._handlers: list[logging.Handler] = [self._main, self._errors]
        people = _formatter(masker, _Readable(colours=colours))
        notes = _Recent(self.recent)
        notes.setFormatter(_formatter(masker, _Readable(colours=False)))
        self._handlers.append(notes)
        if console is not None:
            shown = _Console(console)
            shown.setLevel(level.upper())
            shown.setFormatter(people)
            self._handlers.append(shown)
        self._listener = _Writer(self._queue, *self._handlers, respect_handler_level=True)
        self._level = min(logging.getLevelName(level.upper()), logging.WARNING)
        self._before: tuple[int, list[logging.Handler], Any] | None = None

    @property
    def lost(self) -> int:
        """Lines that did not reach a file: the disk refused, or the queue was full."""
        return self._main.lost + self._errors.lost + self._entry.dropped

    def start(self) -> None:
        """Take the root logger over."""
        root = logging.getLogger()
        self._before = (root.level, root.handlers[:], sys.excepthook)
        root.handlers[:] = [self._entry]
        root.setLevel(self._level)
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.captureWarnings(True)
        sys.excepthook = _log_uncaught
        self._listener.start()

    def stop(self) -> None:
        """Write what is queued and give the root logger back."""
        if self._before is None:
            return
        root = logging.getLogger()
        self._listener.stop()
        logging.captureWarnings(False)
        root.level, root.handlers[:], sys.excepthook = self._before
        self._before = None
        for handler in self._handlers:
            handler.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Entry(logging.handlers.QueueHandler):
    """Puts records into the queue; full: drops and counts, for logging must never block."""

    def __init__(self, target: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(target)
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Bind the arguments now, while they are what the caller meant."""
        bound = copy.copy(record)
        try:
            bound.msg = record.getMessage()
        except (TypeError, ValueError) as error:
            bound.msg = f"{record.msg} (arguments do not fit: {error})"
        bound.args = None
        trace = record.stack_info or ""
        if record.exc_info:
            trace = "".join(traceback.format_exception(*record.exc_info)) + trace
        # Moved out of reach of logging.Formatter, which would append it unmasked.
        bound.exc_info = bound.exc_text = bound.stack_info = None
        bound.trace = trace
        return bound

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue without waiting."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class _Writer(logging.handlers.QueueListener):
    """The writing thread; stopping it works with a full queue as well."""

    def enqueue_sentinel(self) -> None:
        """Make room for the mark that ends the thread: at the very end a line may be lost."""
        for _ in range(_QUEUE_SIZE + 1):
            try:
                self.queue.put_nowait(None)
                return
            except queue.Full:
                pass  # make room below
            try:
                self.dequeue(block=False)
            except queue.Empty:
                pass  # the thread was faster


class _Recent(logging.Handler):
    """Keeps the last warnings for the live view."""

    def __init__(self, kept: deque[str]) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first line."""
        self._kept.append(self.format(record).partition("\n")[0])


class _Console(logging.Handler):
    """Lines for people; a closed terminal is no fault of the daemon's."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, unless its sender tells people itself (`told`)."""
        if getattr(record, "told", False):
            return
        line = self.format(record)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            tell_stderr(line)


def _formatter(masker: Masker, render: Any) -> logging.Formatter:
    def mask(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: _clean(masker, key, value) for key, value in event.items()}

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[],
        processors=[_event_of, mask, render],
        keep_exc_info=True,
        keep_stack_info=True,
    )


def _clean(masker: Masker, key: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = masker.text(str(value))
    return block(text) if key == "exception" else one_line(text)


def _event_of(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The fields of a record in the order in which people read them."""
    record: logging.LogRecord = event["_record"]
    moment = datetime.fromtimestamp(record.created, UTC)
    found: dict[str, Any] = {
        "at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": str(record.msg),
    }
    for name in FIELDS:
        value = getattr(record, name, None)
        if value is not None:
            found[name] = value
    trace = getattr(record, "trace", "")
    if trace:
        found["exception"] = trace
    return found


def _json_line(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> str:
    return json.dumps(dict(event), ensure_ascii=True, default=str)


_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}


class _Readable:
    """`12:30:45 INFO  message  pair=BTC/USD`, the traceback below it."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = _COLOURS if colours else {}

    def __call__(self, _logger: Any, _name: str, event: MutableMapping[str, Any]) -> str:
        level = str(event["level"])
        extra = "".join(f"  {name}={event[name]}" for name in FIELDS if name in event)
        line = f"{str(event['at'])[11:19]} {level.upper():<7} {event['message']}{extra}"
        if level in self._colours:
            line = f"{self._colours[level]}{line}\x1b[0m"
        if "exception" in event:
            line += "\n" + str(event["exception"]).rstrip()
        return line


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """The exception hook: an error nobody caught passes through the masks like any line."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("simple_trader").critical(
        "an error that nobody handled", exc_info=(kind, error, trace)
    )
