"""What a case works out of itself: cost, value and reservation."""

from brain_case import case
from brain_desk import D


def test_i_18_a_purchase_reserves_its_value_with_the_fee_and_a_sale_nothing() -> None:
    bought = case(quote_rate=D(2))
    assert bought.cost == D("100.02")
    assert bought.notional == D("200.04")
    assert bought.reserved == D("200.04") * D("1.004")
    assert case("sell", quote_rate=D(2)).reserved == 0


def test_pt3_a_sale_that_cannot_be_valued_counts_in_its_quote_units() -> None:
    assert case("sell", quote_rate=None).notional == D("100.02")
