"""The slow reference: the median over time of one minute's middles, which no short wick moves."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

SPAN = timedelta(seconds=60)
NEEDED = timedelta(seconds=30)  # less than this says nothing about a minute
_SECOND = timedelta(seconds=1)


class Mids(msgspec.Struct):
    """Middles of the last minute, oldest first: each holds until the next one.

    At most one point for each second is kept, so that a burst costs no memory; one older than the
    minute stays, as it held when the minute began.
    """

    points: list[tuple[datetime, Decimal]] = []

    def see(self, at: datetime, mid: Decimal) -> None:
        """Take a middle seen at market time `at`; one from before the newest is left out."""
        points = self.points
        if points and at < points[-1][0]:
            return
        if points and at - points[-1][0] < _SECOND:
            points[-1] = (points[-1][0], mid)
            return
        points.append((at, mid))
        while len(points) > 1 and points[1][0] <= at - SPAN:
            del points[0]

    def median(self, at: datetime) -> Decimal | None:
        """The middle that held for at most half of the last minute from below and from above.

        None while what was seen began less than half a minute ago.
        """
        points = self.points
        if not points or at - points[0][0] < NEEDED:
            return None
        since = max(points[0][0], at - SPAN)
        ends = [moment for moment, _ in points[1:]] + [at]
        held = sorted(
            (mid, end - max(begin, since))
            for (begin, mid), end in zip(points, ends, strict=True)
            if end > since
        )
        half, passed = (at - since) / 2, timedelta(0)
        for mid, span in held:
            passed += span
            if passed >= half:
                return mid
        return points[-1][1]


def median_of(prices: list[Decimal]) -> Decimal | None:
    """The (lower) median; None of nothing."""
    return sorted(prices)[(len(prices) - 1) // 2] if prices else None
