"""Signs private REST requests and makes nonces that only ever grow (protocol section 11.1).

The nonce is the wall clock in nanoseconds, never less than one above the last. A high-water mark is
kept outside, ahead of what was used, so that a restart or a clock that steps back cannot repeat one
(I-48) without a write for each request.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from simple_trader.domain.errors import ConfigError, StoreError
from simple_trader.domain.moments import EPOCH

log = logging.getLogger(__name__)

_RESERVE_NS = 10_000_000_000


class Revealing(Protocol):
    """A secret that shows itself only when asked."""

    def reveal(self) -> str:
        """The secret text."""
        ...


class Credentials:
    """An API key and its secret; neither is shown by repr."""

    __slots__ = ("key", "secret")

    def __init__(self, key: Revealing, secret: Revealing) -> None:
        """Keep both unrevealed."""
        self.key = key
        self.secret = secret


class HighWater(Protocol):
    """Where the highest nonce that may have been used is kept over restarts."""

    def load(self) -> int:
        """The mark, 0 where there is none."""
        ...

    def save(self, nonce: int) -> None:
        """Keep the mark durably before returning."""
        ...


class FileHighWater:
    """A mark in a small file that is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        """Keep the mark at `path`; its directory must exist."""
        self._path = path

    def load(self) -> int:
        """The mark; raises StoreError for a file that holds no number."""
        try:
            return int(self._path.read_text(encoding="ascii").strip() or "0")
        except FileNotFoundError:
            return 0
        except (ValueError, OSError) as error:
            raise StoreError(f"the nonce file {self._path} cannot be read: {error}") from None

    def save(self, nonce: int) -> None:
        """Write beside, flush, rename; `halt` may do the same at this moment (PT7)."""
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            with beside.open("w", encoding="ascii") as file:
                file.write(f"{nonce}\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise StoreError(f"the nonce file {self._path} cannot be written: {error}") from None


class Nonces:
    """Strictly increasing nonces of one API key."""

    def __init__(self, wall: Callable[[], datetime], mark: HighWater) -> None:
        """Go on above `mark`; `wall` is real time."""
        self._wall = wall
        self._mark = mark
        self._last = self._reserved = -1
        self._unkept = False

    def next(self) -> int:
        """A nonce above all earlier ones, of this process and of those before."""
        if self._last < 0:
            self._last = self._reserved = self._mark.load()
        wall_ns = (self._wall() - EPOCH) // timedelta(microseconds=1) * 1000
        self._last = max(self._last + 1, wall_ns)
        if self._last >= self._reserved:
            self._keep(self._last + _RESERVE_NS)
        return self._last

    def _keep(self, mark: int) -> None:
        """Reserve up to `mark`; a disk that takes nothing must not hold up a cancel (D04, P08).

        Without the mark only a restart with a clock that was set back could repeat a nonce, and
        that the exchange refuses: it is tried again with the next one.
        """
        try:
            self._mark.save(mark)
        except StoreError as error:
            if not self._unkept:
                log.error("%s; requests go on without it", error)
            self._unkept = True
            return
        self._reserved, self._unkept = mark, False

    def leap(self) -> None:
        """Jump past whatever else used this key: the answer to one `EAPI:Invalid nonce` (X19).

        A `halt` beside us leaves its own mark in our file: it is jumped over as well.
        """
        self.next()
        try:
            beside = self._mark.load()
        except StoreError as error:
            log.warning("%s", error)
            beside = 0
        self._last = self._reserved = max(self._last, self._reserved, beside)


def sign(secret: str, path: str, nonce: str, body: str) -> str:
    """API-Sign: base64(HMAC-SHA512(base64 secret, path + SHA256(nonce + body))).

    Raises ConfigError for a secret that is not base64.
    """
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            "The Kraken API secret is not base64: copy it from Kraken again, whole."
        ) from None
    digest = hashlib.sha256((nonce + body).encode()).digest()
    return base64.b64encode(hmac.new(key, path.encode() + digest, hashlib.sha512).digest()).decode()
