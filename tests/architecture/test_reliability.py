"""docs/RELIABILITY.md is current, and every id that is promised has a check that carries it."""

import re
from pathlib import Path

import make_reliability
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_current() -> None:
    """The remedy is `make docs`."""
    assert make_reliability.PAGE.read_text() == make_reliability.page()


@pytest.mark.parametrize("name", make_reliability.required())
def test_every_promised_id_has_a_check(name: str) -> None:
    assert make_reliability.checks().get(name), f"no test or rule carries {name}"


def test_every_promised_id_has_its_sentence() -> None:
    sections = yaml.safe_load(make_reliability.IDS.read_text())
    told = {name for rows in sections.values() for name in rows}
    assert set(make_reliability.required()) <= told


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_i_07_fills_never_exceed", {"I-07"}),
        ("test_p01_p07_i_02_i_04_the_books_balance", {"P01", "P07", "I-02", "I-04"}),
        ("test_pt3_turnover_and_pt10_age", {"PT3", "PT10"}),
        ("test_d05_x26_n04_mixed", {"D05", "X26", "N04"}),
        ("test_l12_l20_m02_c08_i37_beside_each_other", {"L12", "L20", "M02", "C08", "I-37"}),
        ("test_xi_07_pi_03_are_no_ids", set()),
        ("test_room_for_12_or_i_7", set()),
    ],
)
def test_the_ids_of_a_name_are_read(name: str, ids: set[str]) -> None:
    assert make_reliability.ids_in(name) == ids


def test_every_figure_names_its_command_and_day() -> None:
    for row in yaml.safe_load(make_reliability.FIGURES.read_text()):
        assert set(row) == {"command", "date", "figure"}
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", str(row["date"]))
        assert re.search(r"\d", str(row["figure"]))
