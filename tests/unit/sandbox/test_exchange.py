"""The exchange as a whole: determinism, journal, worlds."""

import resource
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.domain.moments import parse_rfc3339
from simple_trader.sandbox import exchange as exchange_module
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.settings import SandboxError, SandboxOptions
from simple_trader.sandbox.sources import to_moment
from simple_trader.simulator.orders import SetSystem


def scenario(there: Exchange, seconds: int = 150) -> list[str]:
    """Trade a little; gives every frame of both connections."""
    public, private = there.open_session(private=False), there.open_session(private=True)
    token = there.keys.issue_token()
    frames = []
    for channel in ("executions", "balances"):
        parts.ask(private, "subscribe", channel=channel, token=token)
    for channel in ("ticker", "book", "trade", "ohlc"):
        public.receive(
            f'{{"method":"subscribe","params":{{"channel":"{channel}","symbol":["BTC/USD"]}}}}'
        )
    for second in range(seconds):
        if second % 10 == 0:
            price = there.market("BTC/USD").bid / 10 - 2
            private.receive(
                '{"method":"add_order","params":{"order_type":"limit","side":"buy","symbol":'
                f'"BTC/USD","order_qty":0.0003,"limit_price":{price:.1f},"token":"{token}"}}}}'
            )
        parts.step(there)
        frames += public.outgoing() + private.outgoing()
    return frames


def test_while_the_engine_is_down_neither_tape_nor_book_moves() -> None:
    there = parts.exchange()
    parts.step(there, 5)
    there.publish(there.execute(SetSystem("cancel_only")))
    before = there.market("BTC/USD").last, there.book("BTC/USD").top(0, 10)
    parts.step(there, 60)
    assert (there.market("BTC/USD").last, there.book("BTC/USD").top(0, 10)) == before
    there.publish(there.execute(SetSystem("online")))
    parts.step(there, 60)
    assert there.market("BTC/USD").last != before[0]


def test_the_same_seed_and_steps_give_the_same_frames() -> None:
    first = scenario(parts.exchange())
    assert first == scenario(parts.exchange())
    assert len(first) > 400
    assert first != scenario(parts.exchange(seed=8))


def test_the_tape_does_not_depend_on_what_is_traded_against_it() -> None:
    busy, calm = parts.exchange(), parts.exchange()
    scenario(busy)
    parts.step(calm, 150)
    assert busy.truth()["trades"]
    assert list(busy.market("BTC/USD").tape) == list(calm.market("BTC/USD").tape)


def test_one_long_step_is_the_same_as_many_short_ones() -> None:
    short, long = parts.exchange(), parts.exchange()
    parts.step(short, 90)
    long.advance(long.now + timedelta(seconds=90))
    assert short.save() == long.save()


def test_market_time_never_goes_back() -> None:
    there = parts.exchange()
    parts.step(there, 3)
    with pytest.raises(ValueError, match="never goes back"):
        there.advance(there.now - timedelta(microseconds=1))


@pytest.mark.parametrize("steps_between_checkpoints", [40, 10_000])
def test_a_recovered_exchange_is_the_one_that_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps_between_checkpoints: int
) -> None:
    monkeypatch.setattr(exchange_module, "CHECKPOINT_STEPS", steps_between_checkpoints)
    there = parts.exchange(state=tmp_path / "s")
    scenario(there)
    lost = there.save()
    _drop(there)
    again = parts.exchange(state=tmp_path / "s")
    assert again.save() == lost
    frames = scenario(again, 30)
    assert len(frames) > 80
    files = {path.name.split("-")[0] for path in (tmp_path / "s").iterdir()}
    assert files == {"meta.json", "lock", "checkpoint", "journal"}


def _drop(there: Exchange) -> None:
    """Lose an exchange as a kill does: only the lock is freed."""
    journal = there._journal
    assert journal is not None
    journal.close()


def test_a_replayed_market_recovers_too(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("".join(f"{1_600_000_020 + 60 * n},100,105,95,101,3,5\n" for n in range(30)))
    options: dict[str, Any] = {"replay": path, "history_bars": 5, "state": tmp_path / "s"}
    there = parts.exchange(**options)
    parts.step(there, 200)
    lost = there.save()
    _drop(there)
    again = parts.exchange(**options)
    assert again.save() == lost
    again.advance(again.now + timedelta(hours=1))
    assert again.ended
    assert again.next_at is None


def test_a_quote_that_our_order_moved_between_two_bars_keeps_the_stamp_of_its_last_price(
    tmp_path: Path,
) -> None:
    """Else `last` of one bar would be told with the moment of a gap, or of the next bar."""
    path = tmp_path / "bars.csv"
    begins = [*range(1_600_000_020, 1_600_000_620, 60), 1_600_001_220]
    path.write_text("".join(f"{begin},100,105,95,101,3,5\n" for begin in begins))
    there = parts.exchange(replay=path, history_bars=5, capital=Decimal(1000))
    public, private = there.open_session(private=False), there.open_session(private=True)
    token = there.keys.issue_token()
    parts.ask(public, "subscribe", channel="ticker", symbol=["BTC/USD"], event_trigger="bbo")
    gap = to_moment(1_600_000_620 * 1_000_000)
    there.advance(gap + timedelta(seconds=30))
    public.outgoing()
    order = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.5}
    (answer, *_) = parts.ask(private, "add_order", **order, token=token)
    assert answer["success"], answer
    told = [frame["data"][0] for frame in parts.decoded(public) if frame["channel"] == "ticker"]
    assert told, "the order moved the quote"
    assert all(parse_rfc3339(row["timestamp"]) < gap for row in told)
    late = there.open_session(private=False)
    frames = parts.ask(late, "subscribe", channel="ticker", symbol=["BTC/USD"])
    (snapshot,) = [f["data"][0] for f in frames if f.get("channel") == "ticker"]
    assert parse_rfc3339(snapshot["timestamp"]) < gap


def test_a_disk_without_room_for_a_checkpoint_does_not_stop_the_market(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = parts.exchange(state=tmp_path / "s")
    monkeypatch.setattr(exchange_module, "CHECKPOINT_STEPS", 40)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        parts.step(there, 30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert there.troubles
    assert "no checkpoint was made" in there.troubles[0]
    lost = there.save()
    _drop(there)
    assert parts.exchange(state=tmp_path / "s").save() == lost


def test_a_damaged_journal_line_is_one_sentence(tmp_path: Path) -> None:
    there = parts.exchange(state=tmp_path / "s")
    parts.step(there, 3)
    _drop(there)
    segment = next((tmp_path / "s").glob("journal-*"))
    lines = segment.read_bytes().split(b"\n")
    segment.write_bytes(b"\n".join([b'{"type":"noise"}', *lines]))
    with pytest.raises(SandboxError, match="line 1, is damaged"):
        parts.exchange(state=tmp_path / "s")


def test_a_state_says_which_world_it_holds(tmp_path: Path) -> None:
    there = parts.exchange(state=tmp_path / "s", capital=Decimal(123))
    there.close()
    with pytest.raises(SandboxError, match="another world"):
        parts.exchange(state=tmp_path / "s", seed=9)
    again = parts.exchange(state=tmp_path / "s", seed=None)
    assert again.truth()["opening"] == {"USD": "123.0000"}
    again.close()
    _alone(tmp_path / "alone").close()
    with pytest.raises(SandboxError, match="stand-alone"):
        parts.exchange(state=tmp_path / "alone", seed=None)


def _alone(state: Path | None, wall: parts.Wall | None = None, speed: float = 60.0) -> Exchange:
    options = SandboxOptions(seed=7, state=state, speed=speed)
    return open_exchange(options, wall or parts.Wall())


def test_a_stand_alone_market_runs_faster_than_the_wall_but_stamps_with_it() -> None:
    wall = parts.Wall()
    there = _alone(None, wall)
    session = there.open_session(private=False)
    parts.ask(session, "subscribe", channel="ticker", symbol=["BTC/USD"], event_trigger="bbo")
    for _ in range(20):
        wall.pass_seconds(0.05)
        there.follow(wall())
    frames = parts.decoded(session)
    assert len(frames) == 60
    assert frames[-1]["data"][0]["timestamp"] == "2026-03-02T10:00:01.000000Z"
    assert there.now == wall.now
    assert there.truth()["opening"] == {"USD": "10000.0000"}


def test_a_stand_alone_market_goes_on_after_a_pause_without_catching_up(tmp_path: Path) -> None:
    wall = parts.Wall()
    there = _alone(tmp_path / "s", wall)
    wall.pass_seconds(2)
    there.follow(wall())
    price = there.market("BTC/USD").bid
    _drop(there)
    wall.pass_seconds(3600)
    again = _alone(tmp_path / "s", wall)
    again.follow(wall())
    assert abs(again.market("BTC/USD").bid - price) < price // 100
    assert again.now == wall.now


def test_the_pairs_may_be_restricted_but_only_to_known_ones() -> None:
    there = parts.exchange(pairs=("ETH/USD",))
    assert set(there.pairs) == {"ETH/USD"}
    with pytest.raises(SandboxError, match="pair NOPE/USD is unknown"):
        parts.exchange(pairs=("NOPE/USD",))


def test_a_capital_that_is_no_amount_is_refused() -> None:
    for capital in ("NaN", "-1", "1E+30"):
        with pytest.raises(SandboxError, match="capital"):
            parts.exchange(capital=Decimal(capital))


@pytest.mark.parametrize("speed", [float("inf"), float("nan"), 0.0, -1.0])
def test_a_speed_that_no_wall_clock_can_follow_is_refused(speed: float) -> None:
    with pytest.raises(SandboxError, match="--speed"):
        _alone(None, speed=speed)
