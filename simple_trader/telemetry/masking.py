"""Takes secrets and control characters out of whatever is about to be shown."""

import re
from urllib.parse import quote, unquote

MASK = "***"
_SHORTEST = 4  # a shorter secret would turn every log line into stars

# Shapes of secrets that nobody registered: provider keys, DSN passwords, signatures, bearers.
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bsk-[A-Za-z0-9_-]{12,}"), MASK),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)"), rf"\1{MASK}"),
    (
        re.compile(
            r"(?i)(\b(?:api[-_]?sign|api[-_]?key|secret|password|passwd|token|authorization)"
            r"[\"']?\s*[:=]\s*[\"']?(?:bearer\s+)?)[A-Za-z0-9+/=_.~-]{8,}"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9+/=_.~-]{8,}"), rf"\1{MASK}"),
)
# C0, C1, line and paragraph separators, and the marks that turn the reading direction.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_CONTROL_IN_BLOCK = re.compile(_CONTROL.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


class Masker:
    """Replaces every registered secret, and what looks like one, by `***`."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        """Register `secrets`, also as they look percent-encoded or decoded."""
        forms = {
            form
            for secret in secrets
            for form in (secret, unquote(secret), quote(secret, safe=""))
            if len(form) >= _SHORTEST
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, value: str) -> str:
        """`value` without secrets."""
        if self._known is not None:
            value = self._known.sub(MASK, value)
        for shape, instead in _SHAPES:
            value = shape.sub(instead, value)
        return value


def one_line(value: str) -> str:
    """Control characters as escapes: nothing that is logged can forge a line or move a cursor."""
    return _CONTROL.sub(_escape, value)


def block(value: str) -> str:
    """As `one_line`, but line ends and tabs stay: for tracebacks."""
    return _CONTROL_IN_BLOCK.sub(_escape, value)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
