"""Faults C01 to C07, C09 and C10 of the catalogue, on real files; one test or more for each."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from simple_trader.config.limits import LimitBook
from simple_trader.config.loader import PROMPT_TEMPLATE, load, trading_settings
from simple_trader.config.reload import ConfigChange
from simple_trader.config.watch import ConfigWatcher, begin

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "config.yaml").read_text(encoding="utf-8")


class Place:
    """A directory with a configuration that is watched, and what its watcher said."""

    def __init__(self, folder: Path, text: str = SHIPPED) -> None:
        self.folder = folder
        self.path = folder / "config.yaml"
        shutil.copytree(ROOT / "templates", folder / "templates")
        text = text.replace('templates_dir: ""', "templates_dir: templates")
        self.write(text)
        self.text = text
        self.limits = LimitBook(folder / "state")
        self.changes: list[ConfigChange] = []
        self.refused: list[str] = []
        self.heard = asyncio.Event()
        started = begin(load(self.path), self.limits)
        self.watcher = ConfigWatcher(
            started.config,
            limits=self.limits,
            on_change=self._changed,
            on_refused=self._refused,
        )

    def _changed(self, change: ConfigChange) -> None:
        self.changes.append(change)
        self.heard.set()

    def _refused(self, sentence: str) -> None:
        self.refused.append(sentence)
        self.heard.set()

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new)
        self.write(self.text)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.watcher.run())
            yield
            task.cancel()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.heard.clear()
                await self.heard.wait()


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# ------------------------------------------------------------------------------------- C01


@pytest.mark.parametrize("edited", [False, True], ids=["same text", "edited text"])
async def test_c01_i_50_a_config_cut_at_any_byte_never_changes_a_setting(
    place: Place, edited: bool
) -> None:
    whole = place.text
    if edited:
        whole = whole.replace("base_order: 1000", "base_order: 90").replace(
            "min_confidence: 0.70", "min_confidence: 0.5"
        )
    before = place.watcher.config.settings
    data = whole.encode()
    for cut in range(len(data)):
        place.path.write_bytes(data[:cut])
        place.watcher.look()
        after = place.watcher.config.settings
        # Only a cut behind the last key may pass, and then it is the whole new version.
        if after != before:
            assert edited
            assert data[cut:].strip() in {b"", b"..."}
            assert after.base_order == 90
            break
    assert place.refused
    place.path.write_bytes(data)
    place.watcher.look()
    assert place.watcher.config.source == whole


async def test_c01_a_half_written_template_is_not_taken(place: Place) -> None:
    path = place.folder / "templates" / PROMPT_TEMPLATE
    whole = path.read_text(encoding="utf-8")
    before = place.watcher.config
    path.write_text(whole[: whole.rindex("{{/pairs}}")], encoding="utf-8")
    place.watcher.look()
    assert place.watcher.config is before
    assert "{{#pairs}} is not closed" in place.refused[-1]


async def test_c01_a_file_being_written_slowly_is_taken_when_it_is_whole(place: Place) -> None:
    place.text = place.text.replace("base_order: 1000", "base_order: 90")
    async with place.watching():
        with place.path.open("w", encoding="utf-8") as file:
            for line in place.text.splitlines(keepends=True):
                file.write(line)
                file.flush()
                await asyncio.sleep(0.002)
        await place.until(lambda: bool(place.changes))
    assert [c.config.settings.base_order for c in place.changes] == [Decimal(90)]


# ------------------------------------------------------------------------------------- C02

BAD_VALUES = [
    ("mode: sim", "mode: demo", "mode should be"),
    ("base_order: 1000", "base_order: -5", "greater than 0"),
    ("base_order: 1000", "base_order: 1e30", "less than or equal"),
    ("base_order: 1000", 'base_order: "200"', "must be a number, not text"),
    ("min_confidence: 0.70", "min_confidence: .nan", "not a finite number"),
    ("min_confidence: 0.70", "min_confidence: 1.5", "less than or equal to 1"),
    ("min_confidence: 0.70", "min_confidence: true", "must be a number"),
    ("min_confidence: 0.70", "min_confidence:", "not empty"),
    ("enable_model: true", "enable_model: yes", "true or false"),
    ("enable_model: true", "enable_model: 1", "must be true or false"),
    ("model_max_tokens: 2000", "model_max_tokens: 2000.0", "whole number"),
    ("model_max_tokens: 2000", "model_max_tokens: 02000", "octal"),
    ("model_max_tokens: 2000", "model_max_tokens: 20:00", "base 60"),
    ("model_max_tokens: 2000", "model_max_tokens: 2_000", "underscores"),
    ("model_max_tokens: 2000", "model_max_token: 2000", "did you mean model_max_tokens?"),
    ("enable_model: true", "enable_model: true\nenable_model: true", "stands twice"),
    ("  - SOL/USD", "  - SOL/USD\n  - SOL/USD", "stands twice"),
    ("  - SOL/USD", "  - SOLUSD", "not a pair"),
    ("  - SOL/USD", "  - SOL/EUR", "one quote currency"),
    ("enable_model: true", "enable_model: &a true", "anchors"),
    ("enable_model: true", "enable_model: !!bool true", "tags"),
    ("enable_model: true", "enable_model: !!python/object/new:os.system [x]", "tags"),
    ("candle_minutes: 15", "candle_minutes: 7", "should be 1, 5"),
    ("openai_base_url: \"\"", "openai_base_url: http://u:p@h/v1", "must not hold a user"),
    ("openai_base_url: \"\"", "openai_base_url: ftp://h", "http"),
    ("  dsn: \"\"", "  dsn: postgresql://u:pw@h/d", "must not hold a password"),
    ("  port: 0", "  port: 65536", "65535"),
    ("max_total_exposure: 0.8", "max_total_exposure: 0.1", "must not be above"),
    ("  price_history: 30", "  price_history: 0", "greater than or equal to 1"),
    ("sim:\n", "sim: 3\nsym:\n", "must hold keys of its own"),
    ("no_key", "no_key", ""),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), BAD_VALUES[:-1])
async def test_c02_a_bad_value_keeps_the_old_version_and_says_why(
    place: Place, old: str, new: str, words: str
) -> None:
    before = place.watcher.config
    place.edit(old, new)
    place.watcher.look()
    assert place.watcher.config is before
    assert len(place.refused) == 1
    assert words in place.refused[0]
    assert str(place.path) in place.refused[0]
    place.watcher.look()
    assert len(place.refused) == 1, "the same fault is said once"


# ------------------------------------------------------------------------------------- C03


async def test_c03_i_50_a_hundred_saves_a_second_end_in_the_last_one_and_only_whole_versions(
    place: Place,
) -> None:
    async with place.watching():
        for number in range(1, 201):
            draft = place.folder / "draft"
            draft.write_text(place.text.replace("base_order: 1000", f"base_order: {number}"))
            draft.replace(place.path)
            await asyncio.sleep(0.01)
        await place.until(
            lambda: bool(place.changes) and place.changes[-1].config.settings.base_order == 200
        )
    assert not place.refused
    assert len(place.changes) < 40, "a storm of saves is thinned out"
    for change in place.changes:
        assert f"base_order: {change.config.settings.base_order}\n" in change.config.source


async def test_c03_i_50_a_version_in_hand_does_not_change_under_a_cycle(place: Place) -> None:
    held = place.watcher.config
    place.edit("base_order: 1000", "base_order: 90")
    place.watcher.look()
    assert held.settings.base_order == 1000
    assert "base_order: 1000" in held.source
    assert place.watcher.config.settings.base_order == 90
    assert place.changes[0].before == '{"base_order":"1000"}'
    assert place.changes[0].after == '{"base_order":"90"}'


async def test_c03_chmod_and_rename_saves_are_seen_and_a_bare_touch_is_no_version(
    place: Place,
) -> None:
    async with place.watching():
        await asyncio.sleep(0.2)
        place.path.touch()
        place.path.chmod(0o640)
        backup = place.path.with_suffix(".yaml~")
        place.path.rename(backup)
        place.write(place.text.replace("base_order: 1000", "base_order: 90"))
        await place.until(lambda: bool(place.changes))
        template = place.folder / "templates" / PROMPT_TEMPLATE
        template.write_text(template.read_text() + "\nmore\n")
        await place.until(lambda: len(place.changes) == 2)
    assert [c.config.settings.base_order for c in place.changes] == [90, 90]


async def test_c03_a_removed_config_keeps_the_old_version_until_it_is_back(place: Place) -> None:
    async with place.watching():
        await asyncio.sleep(0.2)
        place.path.unlink()
        await place.until(lambda: bool(place.refused))
        assert "missing" in place.refused[-1]
        place.edit("base_order: 1000", "base_order: 90")
        await place.until(lambda: bool(place.changes))
    assert place.watcher.config.settings.base_order == 90


# ------------------------------------------------------------------------------------- C04


async def test_c04_a_pair_taken_out_is_not_traded_from_the_next_version_on(place: Place) -> None:
    place.edit("  - SOL/USD\n", "")
    place.watcher.look()
    after = trading_settings(place.watcher.config)
    assert after.traded_pairs == ("BTC/USD", "ETH/USD")
    assert not place.refused


# ------------------------------------------------------------------------------------- C05


async def test_c05_a_raised_limit_waits_until_it_is_accepted(place: Place) -> None:
    place.edit("max_asset_exposure: 0.4", "max_asset_exposure: 0.6")
    place.edit("base_order: 1000", "base_order: 90")
    place.watcher.look()
    settings = place.watcher.config.settings
    assert settings.max_asset_exposure == Decimal("0.4")
    assert settings.base_order == 90, "the rest of the version takes effect"
    assert "limits accept" in place.changes[-1].notes[0]

    place.limits.accept({"max_asset_exposure": Decimal("0.6")})
    place.watcher.look()
    assert place.watcher.config.settings.max_asset_exposure == Decimal("0.6")
    assert place.changes[-1].notes == ()


async def test_c05_a_lowered_limit_works_at_once_and_going_back_up_is_a_rise(place: Place) -> None:
    place.edit("daily_loss_limit: 0.05", "daily_loss_limit: 0.02")
    place.watcher.look()
    assert place.watcher.config.settings.daily_loss_limit == Decimal("0.02")
    place.edit("daily_loss_limit: 0.02", "daily_loss_limit: 0.05")
    place.watcher.look()
    assert place.watcher.config.settings.daily_loss_limit == Decimal("0.02")


async def test_c05_a_restart_is_no_way_around_it(place: Place) -> None:
    place.edit("max_total_exposure: 0.8", "max_total_exposure: 1")
    again = begin(load(place.path), place.limits)
    assert again.config.settings.max_total_exposure == Decimal("0.8")
    assert again.notes
    assert again.config.hash != load(place.path).hash, "the hash names what is in force"


async def test_c05_limits_accept_reaches_a_running_watcher_by_itself(place: Place) -> None:
    async with place.watching():
        await asyncio.sleep(0.2)
        place.edit("max_asset_exposure: 0.4", "max_asset_exposure: 0.6")
        await place.until(lambda: bool(place.changes))
        place.limits.accept({"max_asset_exposure": Decimal("0.6")})
        await place.until(lambda: len(place.changes) == 2)
    assert place.watcher.config.settings.max_asset_exposure == Decimal("0.6")


# ------------------------------------------------------------------------------------- C09


async def test_c09_a_template_that_lost_a_variable_is_a_version_and_the_prompt_judges_it(
    place: Place,
) -> None:
    path = place.folder / "templates" / PROMPT_TEMPLATE
    path.write_text(path.read_text() + "\n{{no_such_name}}\n")
    place.watcher.look()
    assert not place.refused
    assert "{{no_such_name}}" in place.watcher.config.templates[PROMPT_TEMPLATE]
    assert place.changes[-1].config.hash == place.watcher.config.hash


# ------------------------------------------------------------------------------------- C10


async def test_c10_i_44_a_change_of_mode_while_running_is_ignored_and_told(place: Place) -> None:
    place.edit("mode: sim\n", "mode: live\n")
    place.edit("base_order: 1000", "base_order: 90")
    place.watcher.look()
    settings = place.watcher.config.settings
    assert settings.mode == "sim"
    assert settings.base_order == 90
    (sentence,) = place.changes[-1].notes
    assert sentence == (
        "mode: the change from sim to live is ignored while the daemon runs; stop it and start it "
        "with --mode live"
    )
    assert trading_settings(place.watcher.config).may_place


async def test_c10_what_is_read_at_the_start_only_waits_for_the_next_start(place: Place) -> None:
    place.edit("  port: 0", "  port: 8899")
    place.watcher.look()
    assert place.watcher.config.settings.health.port == 0
    assert "health.port: 8899 takes effect at the next start" in place.changes[-1].notes[0]


async def test_c10_a_flag_of_the_command_line_stays_when_the_file_changes(tmp_path: Path) -> None:
    place = Place(tmp_path)
    config = load(place.path, overrides={"sim.speed": 600.0})
    changes: list[ConfigChange] = []
    watcher = ConfigWatcher(
        config, limits=place.limits, on_change=changes.append, on_refused=place.refused.append
    )
    place.edit("base_order: 1000", "base_order: 90")
    watcher.look()
    assert watcher.config.settings.sim.speed == 600
    assert changes[-1].notes == ()
    place.edit("mode: sim\n", "mode: live\n")
    watcher.look()
    assert watcher.config.settings.mode == "sim"
    assert "is ignored while the daemon runs" in changes[-1].notes[0]


async def test_c10_a_mode_given_as_a_flag_rules_and_the_file_is_still_answered(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path)
    changes: list[ConfigChange] = []
    watcher = ConfigWatcher(
        load(place.path, overrides={"mode": "sim"}),
        limits=place.limits,
        on_change=changes.append,
        on_refused=place.refused.append,
    )
    place.edit("mode: sim\n", "mode: live\n")
    watcher.look()
    assert watcher.config.settings.mode == "sim"
    assert "from sim to live is ignored" in changes[-1].notes[0]
