"""The journal's format: any segmentation, one chain."""

import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.adapters.store.journal import GENESIS, chain_over, events_of, make_segment
from simple_trader.domain.errors import InvariantBroken
from simple_trader.ports import Batch

AT = datetime(2026, 3, 2, tzinfo=UTC)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=20), st.data())
def test_the_chain_does_not_depend_on_how_events_fell_into_segments(
    events: list[bytes], data: st.DataObject
) -> None:
    batches = [Batch(n, AT, event, (), False) for n, event in enumerate(events, 1)]
    chain, position, read = GENESIS, 0, []
    while position < len(batches):
        size = data.draw(st.integers(1, len(batches) - position))
        part = make_segment(batches[position : position + size], prev_seq=position, chain=chain)
        assert (part.first_seq, part.last_seq) == (position + 1, position + size)
        assert part.prev_seq == position
        read += events_of(part.payload)
        chain, position = part.hash, position + size
    assert read == events
    assert chain == chain_over(GENESIS, events)


@pytest.mark.parametrize(
    "payload", [b"no zlib", zlib.compress(b"\x00\x00\x00\x09short"), zlib.compress(b"\x00\x00\x09")]
)
def test_a_damaged_segment_is_refused(payload: bytes) -> None:
    with pytest.raises(InvariantBroken, match="engine_journal"):
        list(events_of(payload))
