"""What a sandbox remembers beside its market: used nonces and armed switches, by real time.

These depend on the clients' clocks, so they stand in a file of their own, `memory.jsonl`, and the
journal stays the same for the same market and commands. A killed sandbox takes no nonce twice.
"""

from io import FileIO
from pathlib import Path

import msgspec

from simple_trader.sandbox.settings import SandboxError

NAME = "memory.jsonl"
COMPACT_AFTER = 10_000


class Nonce(msgspec.Struct, frozen=True, tag="nonce"):
    """A key used up a nonce; it goes as text, beyond 2**63."""

    key: str
    nonce: str


class Switch(msgspec.Struct, frozen=True, tag="switch"):
    """An account's dead man's switch will fire at `at` (microseconds), or is off."""

    account: str
    at: int | None


Fact = Nonce | Switch
_DECODER = msgspec.json.Decoder(Fact)


class Memory:
    """An append-only file of facts; without a directory it keeps nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._path = None if directory is None else directory / NAME
        self._file: FileIO | None = None
        self._lines = 0

    def load(self) -> list[Fact]:
        """Read the facts, oldest first; a cut last line was never answered and is dropped."""
        if self._path is None or not self._path.exists():
            return []
        facts: list[Fact] = []
        lines = self._path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], start=1):
            try:
                facts.append(_DECODER.decode(line))
            except msgspec.MsgspecError as error:
                raise SandboxError(
                    f"sandbox memory {self._path}, line {number}, is damaged ({error}); "
                    "use --fresh."
                ) from error
        return facts

    def rewrite(self, facts: list[Fact]) -> None:
        """Put down only what still counts."""
        if self._path is None or (not facts and not self._path.exists()):
            return
        self.close()
        draft = self._path.with_suffix(".tmp")
        try:
            draft.write_bytes(b"".join(msgspec.json.encode(fact) + b"\n" for fact in facts))
            draft.replace(self._path)
        except OSError as error:
            raise SandboxError(
                f"sandbox memory {self._path} cannot be written: {error.strerror}."
            ) from error
        self._lines = len(facts)

    @property
    def long(self) -> bool:
        """Whether the file has grown so much that it should be written anew."""
        return self._lines > COMPACT_AFTER

    def append(self, fact: Fact) -> None:
        """Write one fact and hand it to the operating system."""
        if self._path is None:
            return
        try:
            if self._file is None:
                self._file = FileIO(self._path, "ab")
            self._file.write(msgspec.json.encode(fact) + b"\n")
        except OSError as error:
            raise SandboxError(
                f"sandbox memory {self._path} cannot be written: {error.strerror}."
            ) from error
        self._lines += 1

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
