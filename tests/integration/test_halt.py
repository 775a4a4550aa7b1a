"""The kill switch without a daemon: with only the key, at a real sandbox process (I-28, PT7)."""

import os
import signal
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from kraken_parts import RealClock, Shown
from sandbox_desk import desk_at
from sandbox_parts import child

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.app import worlds
from simple_trader.app.stand_alone import cancel_everything
from simple_trader.cli import halting
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import TraderError, VenueRefused, VenueUnreachable
from simple_trader.domain.events import OrderAcked
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.orders import TimeInForce
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT
from simple_trader.telemetry.presence import DaemonInfo, present

pytestmark = pytest.mark.timeout(90)

KEY = Credentials(Shown(DEFAULT_KEY), Shown(DEFAULT_SIGNING_TEXT))
LIVE = f"KRAKEN_API_KEY={DEFAULT_KEY}\nKRAKEN_SECRET_API_KEY={DEFAULT_SIGNING_TEXT}\n"


def live(folder: Path, env: str = LIVE) -> RunOptions:
    """A live set-up whose daemon is down and whose database never was there."""
    (folder / "config.yaml").write_text("mode: live\n")
    (folder / ".env").write_text(env)
    (folder / ".env").chmod(0o600)
    return RunOptions(
        config_path=folder / "config.yaml",
        env_file=folder / ".env",
        state_dir=folder / "state",
    )


async def test_i_28_pt7_halt_alone_cancels_all_with_daemon_and_database_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = live(tmp_path)
    with child(seed=5) as there:
        monkeypatch.setattr(worlds, "KRAKEN_REST", there.url)
        async with desk_at(there) as desk:
            await desk.up()
            await desk.step(2)
            low = desk.last_quote("BTC/USD").bid * Decimal("0.8")
            for number in range(3):
                order = desk.order(
                    number,
                    low,
                    time_in_force=TimeInForce.GTD,
                    expire_at=desk.clock.now() + timedelta(hours=1),
                )
                assert isinstance(await desk.place(order), OrderAcked)
            assert len(await desk.rest.open_orders()) == 3
            assert await halting.halt_all(chosen, "fire", direct=False) == 0
            assert await desk.rest.open_orders() == ()
    said = capsys.readouterr().out
    assert "next start takes the halt first" in said
    assert "Cancelled 3 orders at Kraken by this command" in said
    assert (tmp_path / "state" / "control" / "halt.json").exists()


async def test_i_28_i_48_it_goes_on_above_the_nonces_of_the_daemon(tmp_path: Path) -> None:
    mark = 5_000_000_000_000_000_000  # far ahead of any clock
    (tmp_path / "nonce").write_text(f"{mark}\n")
    with child(seed=5) as there:
        assert await cancel_everything(there.url, KEY, tmp_path, RealClock()) == 0
        assert int((tmp_path / "nonce").read_text()) > mark
        # Then the clock must do, and what the exchange says of it is told.
        (tmp_path / "nonce").write_text("no number")
        with pytest.raises(VenueRefused, match="nonce"):
            await cancel_everything(there.url, KEY, tmp_path, RealClock())


async def test_pt7_x19_it_works_from_another_machine_beside_a_daemon_that_is_ahead(
    tmp_path: Path,
) -> None:
    ahead = int((RealClock().wall() + timedelta(seconds=15) - EPOCH).total_seconds()) * 10**9
    there_state, here_state = tmp_path / "there", tmp_path / "here"
    for folder in (there_state, here_state):
        folder.mkdir()
    (there_state / "nonce").write_text(f"{ahead}\n")
    with child(seed=5) as there:
        assert await cancel_everything(there.url, KEY, there_state, RealClock()) == 0
        assert await cancel_everything(there.url, KEY, here_state, RealClock()) == 0


async def test_x20_a_key_that_is_refused_is_said_and_not_tried_again(tmp_path: Path) -> None:
    with child(seed=5) as there:
        wrong = Credentials(Shown("nobody"), Shown(DEFAULT_SIGNING_TEXT))
        with pytest.raises(VenueRefused, match="Invalid key"):
            await cancel_everything(there.url, wrong, tmp_path, RealClock())


async def test_n07_an_exchange_that_is_gone_is_tried_for_a_while_and_then_said(
    tmp_path: Path,
) -> None:
    with pytest.raises(VenueUnreachable):
        await cancel_everything("http://127.0.0.1:1", KEY, tmp_path, RealClock(), try_for_s=0.0)


async def test_a_halt_without_a_key_says_what_to_do_and_is_left_for_the_next_start(
    tmp_path: Path,
) -> None:
    with pytest.raises(TraderError, match=r"kraken\.com"):
        await halting.halt_all(live(tmp_path, env="\n"), "fire", direct=False)
    assert (tmp_path / "state" / "control" / "halt.json").exists()


async def test_i_44_direct_asks_no_exchange_for_a_simulated_account(tmp_path: Path) -> None:
    chosen = live(tmp_path)
    (tmp_path / "config.yaml").write_text("mode: sim\n")
    with pytest.raises(TraderError, match="--direct is for live"):
        await halting.halt_all(chosen, "fire", direct=True)


async def test_i_28_a_halt_that_could_not_be_left_anywhere_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = live(tmp_path)
    (tmp_path / "config.yaml").write_text("mode: sim\n")
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(TraderError, match="was not left"):
        await halting.halt_all(chosen, "fire", direct=False)
    assert "next start takes" not in capsys.readouterr().out


async def test_i_28_a_daemon_that_does_not_take_the_file_is_told_by_a_signal_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = live(tmp_path)
    (tmp_path / "config.yaml").write_text("mode: sim\n")
    monkeypatch.setattr(halting, "TAKEN_WITHIN_S", 0.05)
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        with present(tmp_path / "state") as presence:
            about = DaemonInfo(pid=os.getpid(), mode="sim", world="", health_url="", log_dir="")
            presence.announce(about)
            with pytest.raises(TraderError, match="the request stays there"):
                await halting.halt_all(chosen, "fire", direct=False)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]
    assert "by SIGUSR1" in capsys.readouterr().out


async def test_a_daemon_of_somebody_else_that_cannot_be_told_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_ours(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.kill", not_ours)
    monkeypatch.setattr(halting, "TAKEN_WITHIN_S", 0.05)
    chosen = live(tmp_path)
    (tmp_path / "config.yaml").write_text("mode: sim\n")
    with present(tmp_path / "state") as presence:
        presence.announce(DaemonInfo(pid=1, mode="sim", world="", health_url="", log_dir=""))
        with pytest.raises(TraderError, match="the request stays there"):
            await halting.halt_all(chosen, "fire", direct=False)
    assert "could not be told by SIGUSR1: Operation not permitted" in capsys.readouterr().err
