"""The list of controls is whole, in force, and its tests are where it says."""

from pathlib import Path

import pytest
from brain_desk import BTC, D, settings

from simple_trader.core.risk.controls import CONTROLS, Control, lines

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_pt20_each_control_names_a_file_with_a_test_of_its_id(control: Control) -> None:
    text = (ROOT / control.tested_in).read_text(encoding="utf-8")
    mark = control.name.lower().replace("-", "_")
    assert f"test_{mark}_" in text or f"_{mark}_" in text


def test_pt20_the_limits_are_those_in_force_under_the_ceilings() -> None:
    said = {name: limit for name, _, limit, _ in lines(
        settings(price_collar_bps=9_999, max_order_value=D(10**9), max_order_qty={BTC: D("0.5")})
    )}  # fmt: skip
    assert said["PT1"] == "2000 bps"
    assert said["PT2"] == "100000 quote units; 0.5 BTC/USD"


def test_pt20_every_control_of_this_slice_is_listed() -> None:
    assert {control.name for control in CONTROLS} >= {
        "PT1",
        "PT2",
        "PT3",
        "PT4",
        "PT5",
        "PT6",
        "PT10",
    }
