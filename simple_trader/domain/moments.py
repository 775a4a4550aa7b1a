"""Moments: aware UTC datetimes, read from and written to RFC 3339."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROS = 6


def parse_rfc3339(text: str) -> datetime:
    """Read `2026-03-02T10:00:00[.digits]Z`; digits past the microsecond are cut.

    Kraken writes 0, 6 or 9 fractional digits (protocol section 1). Raises ValueError for anything
    naive or malformed.
    """
    if not text.endswith("Z"):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(f"moment without a zone: {text!r}")
        return moment.astimezone(UTC)
    head, _, fraction = text[:-1].partition(".")
    if fraction and not fraction.isdigit():
        raise ValueError(f"malformed moment: {text!r}")
    whole = datetime.fromisoformat(head)
    if whole.tzinfo is not None:
        raise ValueError(f"malformed moment: {text!r}")
    micros = int(fraction[:_MICROS].ljust(_MICROS, "0")) if fraction else 0
    return whole.replace(microsecond=micros, tzinfo=UTC)


def to_rfc3339(moment: datetime, *, digits: int = _MICROS) -> str:
    """Write an aware moment as RFC 3339 in UTC with 0, 3 or 6 fractional digits and a `Z`."""
    spec = {0: "seconds", 3: "milliseconds", 6: "microseconds"}[digits]
    return moment.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")


def from_unix(seconds: float) -> datetime:
    """Moment of a Unix time in seconds, exact to the microsecond."""
    return EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def to_unix(moment: datetime) -> float:
    """Unix time in seconds."""
    return moment.timestamp()


def floor_to(moment: datetime, step_s: int) -> datetime:
    """The latest multiple of `step_s` seconds since the epoch that is not after `moment`."""
    seconds = int((moment - EPOCH) // timedelta(seconds=1))
    return EPOCH + timedelta(seconds=seconds - seconds % step_s)


def floor_ms(moment: datetime) -> datetime:
    """The latest whole millisecond that is not after `moment`: the grid of the wire's deadline."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def next_multiple(moment: datetime, step_s: int) -> datetime:
    """The earliest multiple of `step_s` seconds since the epoch that is after `moment`."""
    return floor_to(moment, step_s) + timedelta(seconds=step_s)


def utc_day(moment: datetime) -> datetime:
    """Midnight UTC that begins the day of `moment`."""
    return floor_to(moment, 86_400)


def seconds(value: float) -> timedelta:
    """A span of `value` seconds."""
    return timedelta(seconds=value)
