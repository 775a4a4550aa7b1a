"""What an API key may do, read from GetApiKeyInfo (protocol section 11.5).

Field names and permission words are not established, so both are read leniently, and whatever
cannot be read as "no withdrawal" counts as "may withdraw".
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

_SPLIT = re.compile(r"[,;|]")
_WORDS = re.compile(r"[a-z0-9]+")
_ASK = {"query", "read", "view", "access", "get"}
_TRADE = {"order", "orders", "trade", "trades"}

# What the daemon needs: each is there if one permission holds a word of every set.
NEEDED: Mapping[str, tuple[set[str], ...]] = {
    "query funds": (_ASK, {"fund", "funds", "balance", "balances"}),
    "query open orders and trades": (_ASK, {"open"}),
    "query closed orders and trades": (_ASK, {"closed"}),
    "create and modify orders": ({"create", "modify", "add", "place"}, _TRADE),
    "cancel and close orders": ({"cancel", "close"}, _TRADE),
    "query ledger entries": ({"ledger", "ledgers"},),
    "WebSocket token": ({"websocket", "websockets", "ws"},),
}


class KeyInfo(msgspec.Struct, frozen=True):
    """The permissions that the exchange names; None where no list of them could be read."""

    permissions: tuple[str, ...] | None

    @property
    def may_withdraw(self) -> bool:
        """Whether it can withdraw, or cannot be shown not to."""
        names = self.permissions
        return not names or any("withdraw" in name.lower() for name in names)

    @property
    def missing(self) -> tuple[str, ...]:
        """Needed permissions that no word of the list stands for; none where there is no list."""
        if self.permissions is None:
            return ()
        there = [set(_WORDS.findall(name.lower())) for name in self.permissions]
        return tuple(
            needed
            for needed, words in NEEDED.items()
            if not any(all(words_of & name for words_of in words) for name in there)
        )


def read_key_info(raw: bytes) -> KeyInfo:
    """Read the result of GetApiKeyInfo; never raises."""
    try:
        lists = list(_lists(msgspec.json.decode(raw)))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return KeyInfo(None)
    if not lists or any(names is None for names in lists):
        return KeyInfo(None)
    return KeyInfo(tuple(name for names in lists if names is not None for name in names))


def _lists(value: object) -> Iterator[tuple[str, ...] | None]:
    """Every value under a field whose name speaks of permissions; None for one of another shape."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(name, str) and "permission" in name.lower():
                yield _names(inner)
            else:
                yield from _lists(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _lists(inner)


def _names(value: object) -> tuple[str, ...] | None:
    """A list of words, one text of words, or a mapping of words to true and false, also nested."""
    if isinstance(value, str):
        return tuple(name.strip() for name in _SPLIT.split(value) if name.strip())
    if isinstance(value, Mapping):
        return _granted(value)
    if isinstance(value, Sequence) and all(isinstance(name, str) for name in value):
        return tuple(value)
    return None


def _granted(value: Mapping[object, object]) -> tuple[str, ...] | None:
    found: list[str] = []
    for name, granted in value.items():
        if granted is True:
            found.append(str(name))
        elif granted is not False:
            inner = _names(granted)
            if inner is None:
                return None
            found += [f"{name} {word}" for word in inner]
    return tuple(found)
