"""The lines of a plain, gzip or zip file, a piece at a time, and the file's hash."""

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from simple_trader.sandbox.sources import SourceError

PIECE = 1 << 20
MAX_LINE = 1 << 16
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
NAMED = 5


class Readable(Protocol):
    """Bytes that are read a piece at a time."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes, none at the end."""


def digest_of(path: Path) -> str:
    """Hash a file; raises OSError when it cannot be read."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def member_for(path: Path, altname: str) -> str | None:
    """Choose the file inside a zip: the pair's shortest bars, else its trades, else the only one.

    None when the file is no zip; raises SourceError when no member fits.
    """
    with path.open("rb") as handle:
        if handle.read(4) != ZIP:
            return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if _is_data(name)]
    except zipfile.BadZipFile as error:
        raise SourceError(f"replay file {path} is not a whole zip file: {error}.") from error
    if len(names) == 1:
        return names[0]
    fitting: list[tuple[int, str]] = []
    for name in names:
        pair, _, minutes = _stem(name).partition("_")
        if altname and pair.upper() == altname.upper() and (not minutes or minutes.isdecimal()):
            # Trades come after all bars: a zip with both is replayed by its shortest bars.
            fitting.append((int(minutes) if minutes else 1 << 30, name))
    if not fitting:
        raise SourceError(
            f"replay file {path.name} is a zip of {len(names)} CSV files and none is "
            f"{altname or 'chosen'}: it has {', '.join(names[:NAMED]) or 'no CSV file'}."
        )
    return min(fitting)[1]


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def _is_data(name: str) -> bool:
    last = name.rsplit("/", 1)[-1]
    return last.lower().endswith(".csv") and not last.startswith(".")


def lines(path: Path, member: str | None) -> Iterator[tuple[int, str]]:
    """Give (line number, line) without its ends, blank lines left out.

    Raises SourceError when the file cannot be read, unpacked or decoded.
    """
    kind = "gzip"
    try:
        if member is not None:
            kind = "zip"
            with zipfile.ZipFile(path) as archive, archive.open(member) as handle:
                yield from _split(path, handle)
            return
        with path.open("rb") as raw:
            packed = raw.read(2) == GZIP
            raw.seek(0)
            if not packed:
                yield from _split(path, raw)
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield from _split(path, unpacked)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, KeyError) as error:
        raise SourceError(f"replay file {path} is not a whole {kind} file: {error}.") from error
    except OSError as error:
        raise SourceError(f"replay file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise SourceError(f"replay file {path} is not text in UTF-8.") from None
    except (RuntimeError, NotImplementedError) as error:
        # A zip with a password or of a kind that Python cannot unpack.
        raise SourceError(f"replay file {path} cannot be unpacked: {error}.") from error


def _split(path: Path, handle: Readable) -> Iterator[tuple[int, str]]:
    number, rest, first = 0, b"", True
    while True:
        piece = handle.read(PIECE)
        if first:
            piece, first = piece.removeprefix(b"\xef\xbb\xbf"), False
        if not piece:
            break
        whole, cut, rest_of_piece = (rest + piece).rpartition(b"\n")
        rest = rest_of_piece
        if len(rest) > MAX_LINE:
            raise SourceError(
                f"replay file {path.name}, line {number + 1}: longer than {MAX_LINE} characters; "
                "this is no CSV file."
            )
        if not cut:
            continue
        for line in whole.decode().split("\n"):
            number += 1
            text = line.strip()
            if text:
                yield number, text
    text = rest.decode().strip()
    if text:
        yield number + 1, text
