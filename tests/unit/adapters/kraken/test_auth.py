"""Signatures and nonces: the published vector, and never the same number twice."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kraken_parts import AT, Mark, SetClock, Shown

from simple_trader.adapters.kraken.auth import Credentials, FileHighWater, Nonces, sign
from simple_trader.domain.errors import ConfigError, StoreError

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
BODY = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
SIGNATURE = (
    "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
)


def test_krakens_published_example_gives_krakens_signature() -> None:
    assert sign(SECRET, "/0/private/AddOrder", "1616492376594", BODY) == SIGNATURE


@pytest.mark.parametrize("secret", ["not base64!", "kQH5A", "kQH5HW/8p1uGOVjbg WA7"])
def test_a_secret_that_is_no_base64_is_refused_in_one_sentence(secret: str) -> None:
    with pytest.raises(ConfigError) as error:
        sign(secret, "/", "1", "")
    assert secret not in str(error.value)
    assert "base64" in str(error.value)


def test_credentials_do_not_show_themselves() -> None:
    made = Credentials(Shown("the-key"), Shown("the-secret"))
    assert "the-" not in repr(made)


def test_i_48_nonces_grow_though_the_clock_stands_or_steps_back() -> None:
    clock = SetClock()
    nonces = Nonces(clock.wall, Mark())
    first = [nonces.next() for _ in range(100)]
    clock.at = AT - timedelta(hours=1)
    later = [nonces.next() for _ in range(100)]
    assert first + later == sorted(set(first + later))
    assert first[0] == int(AT.timestamp()) * 10**9


def test_a_restart_goes_on_above_everything_that_was_used() -> None:
    mark, clock = Mark(), SetClock()
    used = [Nonces(clock.wall, mark).next() for _ in range(1)]
    for _ in range(3):
        nonces = Nonces(clock.wall, mark)
        used += [nonces.next() for _ in range(50)]
    assert used == sorted(set(used))


def test_the_mark_is_saved_ahead_and_not_for_each_nonce() -> None:
    mark, clock = Mark(), SetClock()
    nonces = Nonces(clock.wall, mark)
    issued = [nonces.next() for _ in range(1000)]
    assert mark.saves == 1
    assert mark.value > max(issued)


@given(
    st.lists(
        st.one_of(
            st.integers(-10_000, 10_000).map(lambda s: ("step", s)),
            st.just(("restart", 0)),
            st.just(("leap", 0)),
            st.integers(1, 50).map(lambda n: ("use", n)),
        ),
        max_size=40,
    )
)
def test_i_48_nonces_grow_over_any_clock_steps_and_restarts(steps: list[tuple[str, int]]) -> None:
    mark, clock = Mark(), SetClock()
    nonces = Nonces(clock.wall, mark)
    used: list[int] = []
    for what, amount in steps:
        if what == "step":
            clock.at += timedelta(seconds=amount)
        elif what == "restart":
            nonces = Nonces(clock.wall, mark)
        elif what == "leap":
            nonces.leap()
        used += [nonces.next() for _ in range(amount if what == "use" else 1)]
    assert used == sorted(set(used))


def test_a_leap_passes_everything_reserved() -> None:
    mark, clock = Mark(), SetClock()
    nonces = Nonces(clock.wall, mark)
    nonces.next()
    reserved = mark.value
    nonces.leap()
    assert nonces.next() > reserved


def test_x19_one_leap_is_enough_after_a_halt_beside_the_daemon() -> None:
    mark, clock = Mark(), SetClock()
    daemon = Nonces(clock.wall, mark)
    used = [daemon.next()]
    beside = Nonces(clock.wall, mark)  # of `simple-trader halt`, above what the daemon reserved
    used += [beside.next(), beside.next()]
    assert daemon.next() < used[-1]  # the exchange refuses it, once
    daemon.leap()
    assert daemon.next() > used[-1]


def test_d04_p08_a_disk_that_takes_no_mark_holds_up_no_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mark, clock = Mark(), SetClock()
    nonces, used, full = Nonces(clock.wall, mark), [], True

    def save(nonce: int) -> None:
        if full:
            raise StoreError("no space left")
        mark.value = nonce

    mark.save = save
    used += [nonces.next(), nonces.next()]
    nonces.leap()
    used.append(nonces.next())
    assert used == sorted(set(used))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    full = False
    assert mark.value == 0
    assert nonces.next() < mark.value  # kept as soon as there is room


def test_i_48_pt7_two_processes_keep_their_marks_in_one_file_without_tearing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, process = tmp_path / "nonce", [1]
    monkeypatch.setattr("os.getpid", lambda: process[0])
    sync = os.fsync

    def meanwhile(handle: int) -> None:
        monkeypatch.setattr("os.fsync", sync)
        process[0] = 2
        FileHighWater(path).save(40)  # the other one, begun and done in the middle of ours
        process[0] = 1
        sync(handle)

    monkeypatch.setattr("os.fsync", meanwhile)
    FileHighWater(path).save(50)
    assert FileHighWater(path).load() == 50
    assert [one.name for one in tmp_path.iterdir()] == ["nonce"]


def test_the_file_keeps_the_mark_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "nonce"
    assert FileHighWater(path).load() == 0
    FileHighWater(path).save(17)
    assert FileHighWater(path).load() == 17


def test_a_broken_mark_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nonce"
    path.write_text("seventeen")
    with pytest.raises(StoreError, match="nonce"):
        FileHighWater(path).load()
    with pytest.raises(StoreError):
        FileHighWater(tmp_path / "no" / "such").save(1)
