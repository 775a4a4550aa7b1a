"""A fault as somebody wrote it: read exactly, or refused with one sentence that names the fix."""

from pathlib import Path

import pytest

from simple_trader.sandbox.faults.catalogue import BY_NAME, KINDS
from simple_trader.sandbox.faults.chaos import LINES, Chaos, read_chaos
from simple_trader.sandbox.faults.spec import FaultError, make, read_file, read_line, read_lines
from simple_trader.sandbox.faults.trigger import Now


def test_every_fault_of_both_families_is_there_with_a_name_of_its_own() -> None:
    wanted = {f"N{n:02d}" for n in range(1, 18)} | {f"X{n:02d}" for n in range(1, 35)}
    assert wanted <= set(KINDS)
    assert len(BY_NAME) == len(KINDS)
    for kind in KINDS.values():
        assert make(kind.name, {}).kind == kind.id


def test_a_line_says_the_fault_its_trigger_and_its_parameters() -> None:
    spec = read_line('ack-lost after=3 count=2 method=cancel_order at_s=1.5 pair="BTC/USD"')
    assert (spec.kind, spec.after, spec.count, spec.method) == ("X01", 3, 2, "cancel_order")
    assert (spec.at_s, spec.pair) == (1.5, "BTC/USD")
    assert read_line("X01").count == 1
    assert read_line("X01 count=all").count is None
    assert read_line('X16 text="EOrder:Invalid order"').text("text") == "EOrder:Invalid order"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "needs a name"),
        ("N99", "no fault called 'N99'"),
        ("N02 after", "not name=value"),
        ("N02 colour=blue", "N02 has no parameter 'colour'"),
        ("N02 after=-1", "after=-1 must be at least 0"),
        ("N02 chance=2", "between 0 and 1"),
        ("N02 for_s=nan", "finite"),
        ("N11 delay_s=soon", "delay_s=soon must be a number"),
        ("X03 lands=perhaps", "true or false"),
        ("N02 on=moon", "on=moon must be one of"),
        ('X16 text="open', "quote is not closed"),
    ],
)
def test_a_bad_line_is_one_sentence(line: str, says: str) -> None:
    with pytest.raises(FaultError) as refused:
        read_lines((line,))
    assert says in str(refused.value)
    assert str(refused.value).startswith("--fault ")
    assert "\n" not in str(refused.value)


def test_a_file_holds_lines_and_mappings(tmp_path: Path) -> None:
    path = tmp_path / "week.yaml"
    path.write_text("faults:\n  - N02 after=5\n  - fault: wick\n    percent: -40\n    at_s: 60\n")
    first, second = read_file(path)
    assert (first.kind, first.after) == ("N02", 5)
    assert (second.kind, second.number("percent"), second.at_s) == ("X15", -40, 60)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("faults: 7\n", "a list called `faults`"),
        ("faults:\n  - fault: N02\n    after: x\n", "line 2: after=x must be a number"),
        ("faults:\n  - fault: N02\n    after: 1\n    after: 2\n", "line 4: 'after' is said twice"),
        ("faults:\n  - {fault: N77}\n", "line 2: there is no fault called 'N77'"),
        ("faults:\n  - N02\n  - 7\n", "fault 2: write a line"),
        ("faults: [\n", "line 2: not YAML"),
        ("faults: &a [N02]\nmore: *a\n", "aliases"),
        ("faults:\n  - !!python/object:os.system x\n", "not YAML"),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_the_line(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(FaultError) as refused:
        read_file(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="cannot be read"):
        read_file(tmp_path / "none.yaml")


# --- chaos --------------------------------------------------------------------------------------


def drawn(seed: int, minutes: int) -> list[tuple[int, str]]:
    chaos = Chaos(seed, 2.0, Now(0, 0.0))
    return [
        (second, spec.kind)
        for second in range(minutes * 60)
        for spec in chaos.due(Now(second * 1_000_000, 0.0))
    ]


def test_chaos_draws_the_same_faults_for_the_same_seed_at_about_its_rate() -> None:
    assert drawn(7, 120) == drawn(7, 120)
    assert drawn(7, 120) != drawn(8, 120)
    assert 150 < len(drawn(7, 120)) < 330
    assert len({kind for _, kind in drawn(7, 600)}) > 20


def test_every_drawn_fault_is_limited() -> None:
    for line in LINES:
        spec = read_line(line)
        assert (spec.count, spec.for_s, spec.real_for_s) != (None, None, None), line


def test_what_keeps_feeds_down_ends_though_a_stepped_market_stands_still() -> None:
    for spec in map(read_line, LINES):
        if spec.kind in {"N02", "N03", "N04", "N07", "N08", "N09", "N10", "N11", "N17"}:
            assert spec.for_s is None, spec
            assert spec.real_for_s is not None, spec


@pytest.mark.parametrize("text", ["7", "x,1", "7,0", "7,1000", "-1,1"])
def test_a_bad_chaos_is_one_sentence(text: str) -> None:
    with pytest.raises(FaultError, match="--chaos"):
        read_chaos(text)
