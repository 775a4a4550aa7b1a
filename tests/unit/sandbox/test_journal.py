"""The exchange's memory on disk."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simple_trader.sandbox.journal import (
    VERSION,
    Advanced,
    Did,
    Journal,
    Meta,
    Record,
    read_meta,
)
from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.orders import Cancel, CancelAll

META = Meta(
    version=VERSION,
    world="seed 1",
    stepped=True,
    seed=1,
    replay=None,
    replay_pair="BTC/USD",
    history_bars=720,
    start=5,
)
RECORDS: list[Record] = [Advanced(7), Did(7, Cancel("O1")), Advanced(9), Did(9, CancelAll())]


def opened(folder: Path, records: list[Record]) -> Journal:
    journal = Journal(folder, frozen=False)
    journal.create(META, b"first")
    for record in records:
        journal.append(record)
    return journal


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the system refuse to make any file of this process longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    opened(tmp_path, RECORDS).close()
    loaded = Journal(tmp_path, frozen=True).load()
    assert loaded.checkpoint == b"first"
    assert loaded.records == RECORDS
    assert read_meta(tmp_path) == META


def test_a_checkpoint_begins_a_new_segment_and_forgets_the_old(tmp_path: Path) -> None:
    journal = opened(tmp_path, RECORDS)
    journal.checkpoint(b"second")
    journal.append(Advanced(11))
    journal.close()
    loaded = Journal(tmp_path, frozen=True).load()
    assert (loaded.checkpoint, loaded.records) == (b"second", [Advanced(11)])
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "lock",
        "meta.json",
        "checkpoint-00000001.msgpack",
        "journal-00000001.jsonl",
    }


def test_every_cut_of_the_last_line_gives_the_records_before_it_and_goes_on(
    tmp_path: Path,
) -> None:
    opened(tmp_path / "whole", RECORDS).close()
    whole = (tmp_path / "whole" / "journal-00000000.jsonl").read_bytes()
    last = len(whole) - len(whole.splitlines(keepends=True)[-1])
    for cut in range(last, len(whole)):
        folder = tmp_path / str(cut)
        opened(folder, []).close()
        segment = folder / "journal-00000000.jsonl"
        segment.write_bytes(whole[:cut])
        journal = Journal(folder, frozen=False)
        assert journal.load().records == RECORDS[:-1]
        journal.append(Advanced(13))
        journal.close()
        assert Journal(folder, frozen=True).load().records == [*RECORDS[:-1], Advanced(13)]


def test_a_full_disk_is_a_refusal_and_leaves_no_half_record(tmp_path: Path) -> None:
    journal = opened(tmp_path, RECORDS)
    size = (tmp_path / "journal-00000000.jsonl").stat().st_size
    for room in (0, 10):
        with largest_file(size + room), pytest.raises(SandboxError, match="cannot be written"):
            journal.append(Did(15, Cancel("O2")))
    journal.append(Advanced(17))
    journal.close()
    assert Journal(tmp_path, frozen=True).load().records == [*RECORDS, Advanced(17)]


def test_a_checkpoint_that_finds_no_room_leaves_the_old_one_in_force(tmp_path: Path) -> None:
    journal = opened(tmp_path, RECORDS)
    with largest_file(1000), pytest.raises(SandboxError, match="cannot be written"):
        journal.checkpoint(b"x" * 5000)
    journal.append(Advanced(17))
    journal.close()
    loaded = Journal(tmp_path, frozen=False).load()
    assert (loaded.checkpoint, loaded.records) == (b"first", [*RECORDS, Advanced(17)])


def test_one_process_writes_and_a_frozen_reader_waits_its_turn(tmp_path: Path) -> None:
    journal = opened(tmp_path, [])
    for frozen in (False, True):
        with pytest.raises(SandboxError, match="in use by a running sandbox"):
            Journal(tmp_path, frozen=frozen)
    journal.close()
    reader = Journal(tmp_path, frozen=True)
    with pytest.raises(SandboxError, match="frozen"):
        reader.append(Advanced(3))


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "damaged"), ('{"version":99}', "damaged"), ("", "damaged")],
)
def test_a_damaged_meta_file_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "meta.json").write_text(text)
    with pytest.raises(SandboxError, match=words):
        read_meta(tmp_path)


def test_a_state_of_another_format_names_the_way_out(tmp_path: Path) -> None:
    opened(tmp_path, []).close()
    path = tmp_path / "meta.json"
    path.write_text(path.read_text().replace('"version":2', '"version":99'))
    with pytest.raises(SandboxError, match="format 99, this program reads 2"):
        read_meta(tmp_path)
