"""Rules of the one writer, its time and its journal: I-26, I-27, I-48, I-50, I-52."""

import zlib
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

from checker.evidence import Evidence
from checker.truth import epoch_of

GENESIS = bytes(32)
_LOOKS = {"OpenOrders", "TradesHistory", "Balance", "BalanceEx", "Ledgers"}
_ACCOUNT = {"OpenOrders", "TradesHistory", "Ledgers"}
_BEFORE = timedelta(seconds=5)  # a look under way when the stream came is as good


def i_26(e: Evidence) -> Iterator[str]:
    """One sender at a time: the epochs in the ids on the wire never go back, nor do those of the
    journal.
    """
    ours = [sent for sent in e.wire.orders if e.ours(sent.cl_ord_id)]
    for before, after in pairwise(ours):
        old = epoch_of(str(before.cl_ord_id), e.facts.prefix)
        new = epoch_of(str(after.cl_ord_id), e.facts.prefix)
        if new < old:
            yield f"order {after.cl_ord_id} went out after {before.cl_ord_id}: epochs {old}, {new}"
    for before_row, after_row in pairwise(e.rows.journal):
        if after_row["epoch"] < before_row["epoch"]:
            yield f"event {after_row['first_seq']} is of epoch {after_row['epoch']} after a later"
    for sent, row in e.sends():
        if row is not None and epoch_of(row["cl_ord_id"], e.facts.prefix) != row["epoch"]:
            yield f"order {sent.cl_ord_id} stands in epoch {row['epoch']}"


def i_27(e: Evidence) -> Iterator[str]:
    """After a pause of the process over 5 s nothing that waited goes out, and the account is
    looked at before anything new does; so it is, before a purchase, after a start or reconnect.
    """
    yield from _unseen_account(e)
    for pause in e.facts.pauses:
        if (pause.ended_at - pause.begun_at).total_seconds() <= 5:
            continue
        later = [(s, row) for s, row in e.sends() if s.at > pause.ended_at]
        for sent, row in later:
            if row is not None and row["approved_at"] < pause.ended_at:
                yield f"order {sent.cl_ord_id} waited over the pause of {pause.begun_at} and left"
        if later:
            first = later[0][0].at
            looked = {what for when, what in e.wire.looks if pause.ended_at < when < first}
            if not looked & _LOOKS:
                yield f"order {later[0][0].cl_ord_id} left after a pause without a look before"


def _unseen_account(e: Evidence) -> Iterator[str]:
    """Purchases over a connection since whose opening (or a little before it) no look came back."""
    opened = {entry.connection: entry.at for entry in e.wire.entries if entry.way == "open"}
    for sent in e.wire.orders:
        since = opened.pop(sent.connection, None) if sent.raises else None
        if since is None:
            continue
        looked = {what for when, what in e.wire.looks if since - _BEFORE <= when < sent.at}
        if _ACCOUNT - looked:
            yield f"order {sent.cl_ord_id} left over a connection of {since} without a look since"


def i_48(e: Evidence) -> Iterator[str]:
    """The nonces of a key rise, in the order of the record, over any restart; cut requests (which
    are recorded late) count only against being used twice.
    """
    highest: dict[str, int] = {}
    used: dict[str, set[int]] = {}
    for nonce in e.wire.nonces:
        seen = used.setdefault(nonce.key, set())
        if nonce.value in seen:
            yield f"nonce {nonce.value} was used twice"
        seen.add(nonce.value)
        if nonce.status == 0:
            continue
        if nonce.value < highest.get(nonce.key, 0):
            yield f"nonce {nonce.value} came after {highest[nonce.key]}"
        highest[nonce.key] = max(nonce.value, highest.get(nonce.key, 0))


def i_50(e: Evidence) -> Iterator[str]:
    """Every order names a configuration that is kept; one cycle sees one configuration."""
    kept = {row["config_hash"] for row in e.rows.configs}
    for row in e.rows.orders:
        if row["config_hash"] not in kept:
            yield f"order {row['cl_ord_id']} names configuration {row['config_hash']}, unknown"
    seen: dict[str, str] = {}
    for row in e.rows.decisions:
        first = seen.setdefault(row["cycle_id"], row["config_hash"])
        if first != row["config_hash"]:
            yield f"cycle {row['cycle_id']} saw configurations {first} and {row['config_hash']}"


def i_52(e: Evidence) -> Iterator[str]:
    """The journal is one unbroken chain: numbers follow each other, each hash covers its events.

    (That the same seed gives the same chain is shown by running a seed twice.)
    """
    chain, last = GENESIS, None
    for row in e.rows.journal:
        name = f"events {row['first_seq']} to {row['last_seq']}"
        if last is not None and row["first_seq"] != last + 1:
            yield f"{name} follow event {last}"
        if (last is not None or row["first_seq"] == 1) and row["prev_hash"] != chain:
            yield f"{name} do not follow the hash before them"
        link, count = row["prev_hash"], 0
        for event in _events(row["payload"]):
            link = sha256(link + event).digest()
            count += 1
        if link != row["hash"]:
            yield f"{name} do not give their hash"
        if count != row["events"] or count != row["last_seq"] - row["first_seq"] + 1:
            yield f"{name} are {count} events, {row['events']} by their row"
        chain, last = row["hash"], row["last_seq"]


def _events(payload: bytes) -> Iterator[bytes]:
    """Each event stands behind four bytes of its length; what is damaged ends the walk."""
    try:
        framed = zlib.decompress(payload)
    except zlib.error:
        return
    at = 0
    while at + 4 <= len(framed):
        size = int.from_bytes(framed[at : at + 4], "big")
        yield framed[at + 4 : at + 4 + size]
        at += 4 + size


RULES = {"I-26": i_26, "I-27": i_27, "I-48": i_48, "I-50": i_50, "I-52": i_52}
