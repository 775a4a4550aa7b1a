"""The watcher goes on where the kernel tells nothing and where the directories change."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from simple_trader.config import watch
from simple_trader.config.limits import LimitBook
from simple_trader.config.loader import PROMPT_TEMPLATE, load
from simple_trader.config.reload import ConfigChange
from simple_trader.domain.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


class Heard:
    """What a watcher said."""

    def __init__(self, path: Path) -> None:
        self.changes: list[ConfigChange] = []
        self.refused: list[str] = []
        self._moved = asyncio.Event()
        book = LimitBook(path.parent / "state")
        config = watch.begin(load(path), book).config
        self.watcher = watch.ConfigWatcher(
            config, limits=book, on_change=self._change, on_refused=self._refuse
        )

    def _change(self, change: ConfigChange) -> None:
        self.changes.append(change)
        self._moved.set()

    def _refuse(self, sentence: str) -> None:
        self.refused.append(sentence)
        self._moved.set()

    async def until_changes(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.changes) < count:
                self._moved.clear()
                await self._moved.wait()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.watcher.run())
            await asyncio.sleep(0.1)
            yield
            task.cancel()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "config.yaml"
    found.write_text("base_order: 1000\n...\n")
    return found


async def test_where_nothing_can_be_watched_the_files_are_looked_at_by_the_clock(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_watches(*_paths: object, **_settings: object) -> object:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watch, "awatch", no_watches)
    monkeypatch.setattr(watch, "_POLL_MS", 20)
    heard = Heard(path)
    async with heard.running():
        path.write_text("base_order: 90\n...\n")
        await heard.until_changes(1)
    assert heard.changes[0].config.settings.base_order == Decimal(90)
    assert not heard.refused
    said = [r.getMessage() for r in caplog.records if "cannot be watched" in r.getMessage()]
    assert len(said) == 1


async def test_a_template_directory_that_is_named_later_is_watched_from_then_on(path: Path) -> None:
    heard = Heard(path)
    async with heard.running():
        own = path.parent / "own"
        shutil.copytree(ROOT / "templates", own)
        path.write_text("base_order: 1000\ntemplates_dir: own\n...\n")
        await heard.until_changes(1)
        template = own / PROMPT_TEMPLATE
        template.write_text(template.read_text() + "\nmine\n")
        await heard.until_changes(2)
    assert heard.watcher.config.templates[PROMPT_TEMPLATE].endswith("\nmine\n")


async def test_a_key_may_be_dropped_only_from_a_file_that_says_it_ends(path: Path) -> None:
    heard = Heard(path)
    path.write_text("mode: sim\n")
    heard.watcher.look()
    assert "base_order is gone" in heard.refused[0]
    path.write_text("mode: sim\n...\n")
    heard.watcher.look()
    assert heard.changes[0].config.settings.base_order == 1000


def test_the_first_start_accepts_the_limits_and_a_damaged_book_is_refused(tmp_path: Path) -> None:
    book = LimitBook(tmp_path)
    assert watch.begin(load(ROOT / "config.yaml"), book).notes == ()
    accepted = {k: v for k, v in (book.accepted() or {}).items() if "llm_budget" not in k}
    assert accepted == {
        "max_balance_fraction": Decimal("0.95"),
        "max_order_value": Decimal(5000),
        "max_open_orders": Decimal(40),
        "max_orders_per_minute": Decimal(30),
        "max_flips_per_day": Decimal(24),
        "max_notional_per_minute": Decimal(10_000),
        "max_notional_per_hour": Decimal(20_000),
        "max_notional_per_day": Decimal(100_000),
        "max_pair_notional_per_minute": Decimal(5000),
        "max_pair_notional_per_hour": Decimal(10_000),
        "max_pair_notional_per_day": Decimal(50_000),
        "price_collar_bps": Decimal(500),
        "max_slippage_bps": Decimal(10),
        "max_asset_exposure": Decimal("0.4"),
        "max_total_exposure": Decimal("0.8"),
        "daily_loss_limit": Decimal("0.05"),
        "max_drawdown": Decimal("0.20"),
    }
    for damage in ("{", '{"max_total_exposure": 1}', '{"max_total_exposure": "NaN"}', "[]"):
        book.path.write_text(damage)
        with pytest.raises(ConfigError, match="limits accept"):
            watch.begin(load(ROOT / "config.yaml"), book)
