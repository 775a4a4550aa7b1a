"""What was wrong with frames: counted by reason, logged once for each kind and minute.

Counts live as long as the daemon, over all connections: they are for health and metrics. Whatever
is counted here cost at most a resubscription.
"""

import logging
from collections import Counter
from enum import StrEnum

log = logging.getLogger(__name__)

_QUIET_S = 60.0
_KINDS_KEPT = 256  # an exchange that invents words must not fill our memory
_DETAIL = 200


class Bad(StrEnum):
    """Why a frame, or a part of one, could not be used."""

    NOT_TEXT = "not_text"  # no valid UTF-8
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    TOO_BIG = "too_big"  # beyond the size limit: the connection was closed with code 1009
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_MESSAGE = "unknown_message"  # neither a channel nor a reply
    WRONG_SHAPE = "wrong_shape"  # a field is missing or of another type
    WRONG_VALUE = "wrong_value"  # NaN, no moment, no price, crossed quotes
    WRONG_LEVEL = "wrong_level"  # a level of a book is no plain positive number
    CHECKSUM = "checksum"
    CROSSED = "crossed"
    GAP = "gap"  # a hole, repeat or step back in `sequence`
    MSG_RATE = "msg_rate"  # we sent too fast


class Odd(StrEnum):
    """What was used all the same: the unknown word or stamp was read as the safe default."""

    TRADE_HOLE = "trade_hole"  # public trades that were never seen came before these
    WORD = "unknown_word"
    STAMP = "unknown_stamp"
    REFUSED = "refused_subscription"
    UNLISTED = "unlisted_pair"  # a planned pair that the reference data does not hold
    UNASKED = "unasked_reply"


class FrameCounts:
    """Counters by feed and reason; `now` is monotonic seconds."""

    def __init__(self) -> None:
        """Nothing counted yet."""
        self._counts: Counter[str] = Counter()
        self._said: dict[tuple[str, str, str], float] = {}
        self._unsaid: Counter[tuple[str, str, str]] = Counter()
        self.bad_frames = 0

    def add(self, feed: str, reason: Bad | Odd, kind: str, detail: str, now: float) -> None:
        """Count once, and tell the first of its kind in a minute with the number not told."""
        self._counts[f"{feed}.{reason}"] += 1
        if isinstance(reason, Bad):
            self.bad_frames += 1
        key = (feed, reason, kind)
        said = self._said.get(key)
        if said is not None and now - said < _QUIET_S:
            self._unsaid[key] += 1
            return
        if len(self._said) >= _KINDS_KEPT and key not in self._said:
            oldest = min(self._said, key=self._said.__getitem__)
            del self._said[oldest]
            self._unsaid.pop(oldest, None)
        self._said[key] = now
        more = self._unsaid.pop(key, 0)
        log.warning(
            "The %s connection to Kraken: %s %s: %s%s",
            feed,
            reason.replace("_", " "),
            kind,
            detail[:_DETAIL],
            f" ({more} more like it were not told)" if more else "",
        )

    def counts(self) -> dict[str, int]:
        """`feed.reason` -> how often, sorted by name."""
        return dict(sorted(self._counts.items()))
