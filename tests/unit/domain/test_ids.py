"""Ids of the house are short, ours at sight, and never made twice."""

import pytest

from simple_trader.domain.ids import (
    MAX_CL_ORD_ID,
    base36,
    client_order_id,
    epoch_of,
    is_ours,
    local_id,
)


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (35, "z"), (36, "10"), (1295, "zz")])
def test_numbers_are_written_in_base_36(number: int, text: str) -> None:
    assert base36(number) == text
    assert int(text, 36) == number


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError):
        base36(-1)


def test_client_order_ids_of_boot_seconds_fit_the_exchange() -> None:
    made = client_order_id(1_795_000_000, 36**5)
    assert len(made) <= MAX_CL_ORD_ID
    assert made.isascii()


def test_a_client_order_id_that_would_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 18"):
        client_order_id(36**12, 36**6)


def test_no_two_of_epoch_and_count_share_an_id() -> None:
    made = {client_order_id(e, c) for e in range(40) for c in range(40)}
    assert len(made) == 1600
    assert all(is_ours(one) for one in made)


@pytest.mark.parametrize(
    "foreign",
    [None, "", "bot7-000124", "st", "6d1b345e-2821-40e2", "stop-loss-1", "st-1", "stop 7-1"],
)
def test_i_09_other_orders_are_not_ours(foreign: str | None) -> None:
    assert not is_ours(foreign)


def test_local_ids_name_their_kind() -> None:
    assert local_id("d", 36, 1) == "d10-1"


def test_the_epoch_of_a_name_of_ours_can_be_read() -> None:
    assert epoch_of(client_order_id(1_762_000_000, 7)) == 1_762_000_000
    for other in (None, "", "bot7-1", "st-1", "st7-", "stX-1", "st7!-1"):
        assert epoch_of(other) is None
