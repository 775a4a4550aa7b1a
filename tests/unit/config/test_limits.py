"""Limits: what may be lowered at once and what waits, for keys with one value and for pairs."""

from decimal import Decimal

from simple_trader.config.limits import hold_raised, limits_of
from simple_trader.config.schema import Settings

D = Decimal


def test_pt2_a_quantity_limit_of_a_pair_counts_by_its_own_name() -> None:
    settings = Settings.model_validate({"max_order_qty": {"BTC/USD": D("0.05")}})
    assert limits_of(settings)["max_order_qty.BTC/USD"] == D("0.05")
    assert "max_order_qty.BTC/USD" not in limits_of(Settings())


def test_pt2_pt13_a_limit_of_a_pair_may_be_lowered_or_added_not_raised_or_dropped() -> None:
    accepted = {"max_order_qty.BTC/USD": D("0.05")}
    for asked, held in (("0.04", "0.04"), ("0.06", "0.05")):
        settings = Settings.model_validate(
            {"max_order_qty": {"BTC/USD": D(asked), "ETH/USD": D(1)}}
        )
        kept, notes = hold_raised(settings, accepted)
        assert kept.max_order_qty == {"BTC/USD": D(held), "ETH/USD": D(1)}
        assert len(notes) == (asked != held)
    dropped, notes = hold_raised(Settings(), accepted)
    assert dropped.max_order_qty == accepted_qty()
    assert "limits accept" in notes[0]


def accepted_qty() -> dict[str, Decimal]:
    """What stays in force of the accepted quantity."""
    return {"BTC/USD": D("0.05")}


def test_pt13_a_raised_order_count_stays_a_whole_number_at_its_accepted_value() -> None:
    kept, notes = hold_raised(Settings(max_open_orders=200), {"max_open_orders": D(40)})
    assert kept.max_open_orders == 40
    assert isinstance(kept.max_open_orders, int)
    assert len(notes) == 1


def test_a_book_of_another_version_with_a_key_that_is_gone_is_no_trouble() -> None:
    kept, notes = hold_raised(Settings(), {"gone.BTC/USD": D(1), "gone": D(1)})
    assert kept == Settings()
    assert notes == ()
