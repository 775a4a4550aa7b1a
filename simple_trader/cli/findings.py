"""What `doctor` finds: one examined thing, how bad it is, and the fix."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One examined thing: ok, warn or fail, and for the latter two the fix."""

    level: str
    subject: str
    text: str
    fix: str = ""


def ok(subject: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(level="ok", subject=subject, text=text)


def warn(subject: str, text: str, fix: str) -> Finding:
    """Worth a look."""
    return Finding(level="warn", subject=subject, text=text, fix=fix)


def fail(subject: str, text: str, fix: str) -> Finding:
    """The daemon cannot work like this."""
    return Finding(level="fail", subject=subject, text=text, fix=fix)
