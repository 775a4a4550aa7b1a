"""Watches config.yaml, templates and tool schemas; hands over whole new versions only."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from watchfiles import awatch

from simple_trader.config.limits import LimitBook, hold_raised, limits_of
from simple_trader.config.loader import Config, load, with_settings
from simple_trader.config.reload import ConfigChange, settle
from simple_trader.domain.errors import ConfigError

log = logging.getLogger(__name__)

_DEBOUNCE_MS = 400  # a storm of saves becomes at most this many looks
_STEP_MS = 50  # a save is done when nothing moved for this long
_POLL_MS = 2000  # looked at anyway: some file systems tell nobody about changes


def begin(config: Config, limits: LimitBook) -> ConfigChange:
    """The version to start with: raised limits held, the first start accepts all (C05)."""
    accepted = limits.accepted()
    if accepted is None:
        accepted = limits_of(config.settings)
        limits.accept(accepted)
    settings, notes = hold_raised(config.settings, accepted)
    started = with_settings(config, settings)
    _remember_lowered(limits, started, accepted)
    return ConfigChange(config=started, notes=notes, before="{}", after="{}")


class ConfigWatcher:
    """Keeps the version in force; `on_change` and `on_refused` are called in the event loop.

    An unusable file changes nothing: `on_refused` gets one sentence, once for each new fault.
    """

    def __init__(
        self,
        config: Config,
        *,
        limits: LimitBook,
        on_change: Callable[[ConfigChange], None],
        on_refused: Callable[[str], None],
    ) -> None:
        """Start from `config`, the version in force (see `begin`)."""
        self._config = config
        self._limits = limits
        self._on_change = on_change
        self._on_refused = on_refused
        self._refused = ""
        self._seen = ""
        self._unwatched = False

    @property
    def config(self) -> Config:
        """The version in force."""
        return self._config

    def look(self) -> None:
        """Read the files now and take what they say, whole or not at all."""
        try:
            new = load(self._config.path, overrides=self._config.overrides)
            accepted = self._limits.accepted()
            change = settle(self._config, new, accepted or limits_of(self._config.settings))
        except ConfigError as error:
            self._refuse(str(error))
            return
        self._refused = ""
        try:
            _remember_lowered(self._limits, change.config, accepted)
        except ConfigError as error:
            self._refuse(str(error))
            return
        moved = change.config.hash != self._config.hash
        said = "\n".join(change.notes)
        if moved or (said and said != self._seen):
            self._config = change.config
            self._seen = said
            self._on_change(change)

    def _refuse(self, sentence: str) -> None:
        if sentence != self._refused:
            self._refused = sentence
            self._on_refused(sentence)

    async def run(self) -> None:
        """Watch until cancelled; an editor's rename, a chmod or a lost directory is no end."""
        stamp = self._stamp()
        while True:
            watched = self._directories()
            try:
                async for changes in awatch(
                    *watched,
                    watch_filter=None,
                    debounce=_DEBOUNCE_MS,
                    step=_STEP_MS,
                    rust_timeout=_POLL_MS,
                    yield_on_timeout=True,
                    recursive=False,
                ):
                    now = self._stamp()
                    # A change within one tick of the file system's clock leaves the stamp as it is.
                    if now != stamp or self._concerns(path for _, path in changes):
                        stamp = now
                        self.look()
                    if self._directories() != watched:
                        break
            except OSError as error:
                # The kernel's watches are used up or a directory is gone: look by the clock.
                self._say_unwatched(error)
                await asyncio.sleep(_POLL_MS / 1000)
                if (now := self._stamp()) != stamp:
                    stamp = now
                    self.look()

    def _say_unwatched(self, error: OSError) -> None:
        """Once: it is slower, but nothing is lost."""
        if not self._unwatched:
            self._unwatched = True
            log.warning(
                "%s cannot be watched (%s); it is looked at every %g s instead",
                self._config.path.parent,
                error,
                _POLL_MS / 1000,
            )

    def _files(self) -> list[Path]:
        config = self._config
        templates, tools = config.directories
        found = [config.path, self._limits.path]
        found += sorted(templates.rglob("*.mustache"))
        found += sorted(tools.rglob("*.json"))
        return found

    def _directories(self) -> list[Path]:
        templates, tools = self._config.directories
        found = {self._config.path.absolute().parent, self._limits.path.parent, templates, tools}
        found |= {p.parent for p in self._files()}
        return sorted(d.absolute() for d in found if d.is_dir())

    def _concerns(self, paths: Iterable[str]) -> bool:
        ours = {str(p.absolute()) for p in self._files()}
        return any(path in ours or path.endswith((".mustache", ".json")) for path in paths)

    def _stamp(self) -> tuple[tuple[str, int, int, int], ...]:
        """Name, size, inode and time of every file; cheap, and enough to notice a change by."""
        found = []
        for path in self._files():
            try:
                info = path.stat()
            except OSError:
                found.append((str(path), -1, 0, 0))
                continue
            found.append((str(path), info.st_size, info.st_ino, info.st_mtime_ns))
        return tuple(found)


def _remember_lowered(
    book: LimitBook, config: Config, accepted: Mapping[str, Decimal] | None
) -> None:
    """A limit that was lowered is the accepted one from now on: going back up is a rise."""
    in_force = limits_of(config.settings)
    if in_force != accepted:
        book.accept(in_force)
