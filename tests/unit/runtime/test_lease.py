"""The health lease: held only while every part is well, and never latched."""

import msgspec
import pytest

from simple_trader.runtime.lease import Lease, Vitals, lost

WELL = Vitals(
    lane_alive=True,
    lane_age_s=0.1,
    private_up=True,
    reconciled=True,
    skew_s=0.2,
    lag_p99_s=0.01,
    gap_s=0.1,
)


@pytest.mark.parametrize(
    ("part", "value", "word"),
    [
        ("lane_alive", False, "session"),
        ("lane_age_s", 0.8, "database"),
        ("private_up", False, "private"),
        ("reconciled", False, "reconciled"),
        ("skew_s", 5.1, "clock"),
        ("skew_s", -5.1, "clock"),
        ("lag_p99_s", 0.51, "event loop"),
        ("gap_s", 5.1, "stood still"),
    ],
)
def test_i_29_each_part_alone_takes_the_lease_and_says_which(
    part: str, value: object, word: str
) -> None:
    assert lost(WELL) == ""
    assert word in lost(msgspec.structs.replace(WELL, **{part: value}))


@pytest.mark.parametrize(
    ("part", "value"),
    [("lane_age_s", 0.75), ("skew_s", 5.0), ("lag_p99_s", 0.5), ("gap_s", 5.0)],
)
def test_a_limit_that_is_just_kept_keeps_the_lease(part: str, value: float) -> None:
    assert lost(msgspec.structs.replace(WELL, **{part: value})) == ""


def test_the_lease_never_latches() -> None:
    now = [WELL]
    lease = Lease(lambda: now[0])
    for _ in range(3):
        now[0] = msgspec.structs.replace(WELL, private_up=False)
        assert not lease.held
        now[0] = WELL
        assert lease.held
