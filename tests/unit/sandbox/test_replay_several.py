"""Several files as one market: merged in time, begun where all have their history, resumed."""

from itertools import pairwise
from pathlib import Path

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.settings import SandboxError
from simple_trader.sandbox.sources import SECOND, SourceError, Tick
from simple_trader.sandbox.sources_replay import ReplaySource

BASE = 1_600_002_000 // 3600 * 3600


def bars(path: Path, first: int, count: int, step: int = 60, price: str = "100.5") -> Path:
    path.write_text(
        "".join(
            f"{BASE + first + step * n},{price},{price}9,{price},{price}5,3.5,9\n"
            for n in range(count)
        )
    )
    return path


def trades(path: Path, first: int, count: int) -> Path:
    path.write_text(
        "".join(f"{BASE + first + 7 * n}.25,{30 + n % 5}.5,0.5\n" for n in range(count))
    )
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[tuple[str, Path]]:
    return [
        ("BTC/USD", bars(tmp_path / "b.csv", 0, 120)),
        ("ETH/EUR", bars(tmp_path / "e.csv", 0, 4, 3600, "2000.2")),
        ("SOL/USD", trades(tmp_path / "s.csv", 1800, 600)),
    ]


def everything(source: ReplaySource) -> list[Tick]:
    ticks = []
    while source.next_at() is not None:
        ticks += source.step()
    return ticks


def test_files_are_merged_in_time_and_each_pair_comes_out_as_alone(
    files: list[tuple[str, Path]],
) -> None:
    together = ReplaySource(files, 1, 5)
    ticks = everything(together)
    assert all(later.at >= earlier.at for earlier, later in pairwise(ticks))
    assert {tick.symbol for tick in ticks} == {"BTC/USD", "ETH/EUR", "SOL/USD"}
    for pair, path in files:
        alone = everything(ReplaySource([(pair, path)], 1, 5))
        wanted = [tick for tick in alone if tick.at >= together.start]
        assert [tick for tick in ticks if tick.symbol == pair] == wanted
        assert wanted


def test_the_market_begins_where_the_last_file_has_its_history(
    files: list[tuple[str, Path]],
) -> None:
    source = ReplaySource(files, 1, 5)
    assert source.start == (BASE + 3600) * SECOND
    history = list(source.history())
    assert all(later.at >= earlier.at for earlier, later in pairwise(history))
    assert {tick.symbol for tick in history} == {"BTC/USD", "ETH/EUR", "SOL/USD"}
    assert max(tick.at for tick in history) < source.start
    assert min(tick.at for tick in everything(source)) >= source.start


def test_no_price_of_the_future_is_in_the_history_of_a_longer_bar(tmp_path: Path) -> None:
    hours = bars(tmp_path / "b.csv", 0, 3, 3600)
    minutes = bars(tmp_path / "h.csv", 5340, 90)
    half = ReplaySource([("BTC/USD", hours), ("ETH/USD", minutes)], 1, 5)
    assert half.start == (BASE + 5400) * SECOND
    past = [tick for tick in half.history() if tick.symbol == "BTC/USD"]
    assert max(tick.at for tick in past) < half.start
    first = next(t for t in everything(half) if t.symbol == "BTC/USD")
    assert first.at == half.start


@pytest.mark.parametrize("steps", [1, 59, 700, 4000])
def test_a_saved_replay_of_several_goes_on_exactly_where_it_stood(
    files: list[tuple[str, Path]], steps: int
) -> None:
    source = ReplaySource(files, 1, 5)
    for _ in range(steps):
        source.step()
    saved = source.save()
    fresh = ReplaySource(files, 1, 5)
    fresh.restore(saved)
    assert fresh.next_at() == source.next_at()
    assert everything(fresh) == everything(source)
    fresh.restore(fresh.save())
    assert fresh.next_at() is None
    with pytest.raises(SourceError, match="other files"):
        ReplaySource(files[:2], 1, 5).restore(saved)


def test_a_pair_named_twice_or_files_that_never_meet_are_refused(tmp_path: Path) -> None:
    early, late = bars(tmp_path / "a.csv", 0, 10), bars(tmp_path / "z.csv", 90_000, 10)
    with pytest.raises(SourceError, match="names BTC/USD twice"):
        ReplaySource([("BTC/USD", early), ("XBTUSD", late)], 1, 1)
    with pytest.raises(SourceError, match=r"a\.csv ends before the others begin"):
        ReplaySource([("BTC/USD", early), ("ETH/USD", late)], 1, 1)


def test_the_world_of_several_files_does_not_depend_on_their_order(
    files: list[tuple[str, Path]],
) -> None:
    assert ReplaySource(files, 1, 5).world == ReplaySource(files[::-1], 1, 5).world
    assert ReplaySource(files, 1, 5).world != ReplaySource(files[:2], 1, 5).world


def test_a_kept_replay_of_several_needs_no_files_named_again(
    files: list[tuple[str, Path]], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    there = parts.exchange(replays=tuple(files), history_bars=1, state=state)
    parts.step(there, 90)
    stood = there.now
    last = {symbol: there.market(symbol).last for symbol in there.pairs}
    there.close()
    again = parts.exchange(state=state, seed=None)
    assert again.now == stood
    assert {symbol: again.market(symbol).last for symbol in again.pairs} == last
    parts.step(again, 30)
    again.close()
    with pytest.raises(SandboxError, match="holds another world"):
        parts.exchange(replays=tuple(files[:1]), history_bars=1, state=state)


def test_a_replayed_pair_keeps_all_decimals_of_its_file_and_trades_freely(tmp_path: Path) -> None:
    path = bars(tmp_path / "g.csv", 0, 10, 60, "41.23")
    pair = ReplaySource([("ACA/EUR", path)], 1, 1).pairs["ACA/EUR"]
    assert pair.status == "online"
    gold = ReplaySource([("PAXG/USD", bars(tmp_path / "p.csv", 0, 10, 60, "4100.11"))], 1, 1)
    assert gold.pairs["PAXG/USD"].price_precision == 3
    assert gold.pairs["PAXG/USD"].increment_ticks == 1
