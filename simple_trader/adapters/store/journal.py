"""The journal's format: events of a transaction as one compressed segment of one hash chain."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256

import msgspec

from simple_trader.domain.errors import InvariantBroken
from simple_trader.ports import Batch

GENESIS = bytes(32)
_LENGTH_BYTES = 4
# Level 1: the lane compresses on the event loop, so speed goes before size.
_LEVEL = 1


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one transaction: numbers, market time, compressed bytes and both hashes."""

    prev_seq: int  # last event that is already in the journal
    first_seq: int
    last_seq: int
    at: datetime
    at_to: datetime
    events: int
    payload: bytes
    prev_hash: bytes
    hash: bytes


def make_segment(batches: Sequence[Batch], *, prev_seq: int, chain: bytes) -> Segment:
    """The segment of `batches`, which follow event `prev_seq` whose hash is `chain`.

    The chain runs over events, not segments: h = sha256(h before + event bytes). So its end does
    not depend on how events fell into transactions.
    """
    link = chain
    framed = bytearray()
    for batch in batches:
        link = sha256(link + batch.event).digest()
        framed += len(batch.event).to_bytes(_LENGTH_BYTES, "big")
        framed += batch.event
    return Segment(
        prev_seq=prev_seq,
        first_seq=batches[0].seq,
        last_seq=batches[-1].seq,
        at=batches[0].at,
        at_to=batches[-1].at,
        events=len(batches),
        payload=zlib.compress(framed, _LEVEL),
        prev_hash=chain,
        hash=link,
    )


def events_of(payload: bytes) -> Iterator[bytes]:
    """The events of a segment's payload, in order; raises InvariantBroken when it is damaged."""
    try:
        framed = memoryview(zlib.decompress(payload))
    except zlib.error as error:
        raise InvariantBroken(f"a segment of engine_journal cannot be read: {error}.") from error
    position = 0
    while position < len(framed):
        start = position + _LENGTH_BYTES
        end = start + int.from_bytes(framed[position:start], "big")
        if end > len(framed):
            raise InvariantBroken("a segment of engine_journal is cut off.")
        yield bytes(framed[start:end])
        position = end


def chain_over(chain: bytes, events: Sequence[bytes]) -> bytes:
    """The hash after `events` that follow `chain`."""
    for event in events:
        chain = sha256(chain + event).digest()
    return chain
