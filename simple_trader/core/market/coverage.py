"""Which spans of history are known and which are missing: sets of half-open spans."""

from collections.abc import Iterable

from simple_trader.domain.history import Span


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same moments in as few spans as possible, in order; touching spans become one."""
    whole: list[Span] = []
    for span in sorted(spans):
        if span.empty:
            continue
        if whole and span.begin <= whole[-1].end:
            last = whole[-1]
            whole[-1] = Span(last.begin, max(last.end, span.end))
        else:
            whole.append(span)
    return tuple(whole)


def missing(wanted: Span, known: Iterable[Span]) -> tuple[Span, ...]:
    """What of `wanted` no known span covers, in order."""
    holes: list[Span] = []
    at = wanted.begin
    for span in merged(known):
        if span.end <= at:
            continue
        if span.begin >= wanted.end:
            break
        if span.begin > at:
            holes.append(Span(at, span.begin))
        at = span.end
    if at < wanted.end:
        holes.append(Span(at, wanted.end))
    return tuple(holes)
