"""The judge of I-37 sees what it must: every rule of it is broken once by hand."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from brain_desk import BTC, advice_text, say

from hostile import scenes
from hostile.envelope import Facts, Market, breaches
from simple_trader.core.engine import Engine
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.orders import OrderType, TimeInForce
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow

BOTH = advice_text(say(BTC, "buy"), say("ETH/USD", "buy"))
SOLD = advice_text(say(BTC, "sell"), say("ETH/USD", "sell"))


def with_request(done: list[a.Action], **changes: Any) -> list[a.Action]:
    """The same actions with the first order changed."""
    place = next(one for one in done if isinstance(one, a.PlaceOrder))
    request = msgspec.structs.replace(place.approved.request, **changes)
    changed = a.PlaceOrder(approved=msgspec.structs.replace(place.approved, request=request))
    return [changed if one is place else one for one in done]


def with_row(done: list[a.Action], **changes: Any) -> list[a.Action]:
    """The same actions with the first decision changed."""
    kept = next(
        one for one in done if isinstance(one, a.Remember) and isinstance(one.record, DecisionRow)
    )
    changed = a.Remember(record=msgspec.structs.replace(kept.record, **changes))
    return [changed if one is kept else one for one in done]


def bought() -> tuple[Facts, list[a.Action]]:
    scene = scenes.scene("fresh")
    done = scene.answered(BOTH)
    assert breaches(scene.facts, done) == []
    assert sum(isinstance(one, a.PlaceOrder) for one in done) == 2
    return scene.facts, done


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"pair": "XBT/USD"}, "not asked about"),
        ({"pair": "ETH/USD"}, "a second order"),
        ({"qty": Decimal("0.0210")}, "more than the base order"),
        ({"qty": Decimal("2")}, "cap of the asset"),
        ({"qty": Decimal("0.5")}, "of the cash"),
        ({"qty": Decimal("0.000000001")}, "quantity"),
        ({"qty": Decimal("-1")}, "quantity"),
        ({"qty": Decimal("NaN")}, "quantity"),
        ({"qty": Decimal("0.0001")}, "too small"),
        ({"limit_price": Decimal("50200.0")}, "above the touch"),
        ({"limit_price": Decimal("50000.55")}, "no tick"),
        ({"limit_price": None}, "at None"),
        ({"order_type": OrderType.MARKET}, "market order"),
        ({"time_in_force": TimeInForce.GTC}, "time in force"),
        ({"cl_ord_id": "other"}, "names order"),
    ],
)
def test_i_37_the_judge_sees_a_purchase_outside(changes: dict[str, Any], word: str) -> None:
    facts, done = bought()
    found = breaches(facts, with_request(done, **changes))
    assert any(word in one for one in found), found


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"may_buy": False}, "no new risk"),
        ({"cash": Decimal(500)}, "of the cash"),
        ({"exposed": {BTC: Decimal(3_000)}}, "cap of the asset"),
        ({"exposed": {"SOL/USD": Decimal(7_500)}}, "cap of all"),
        ({"base_order": Decimal(500)}, "more than the base order"),
        ({"least_value": Decimal(1_000)}, "too small"),
    ],
)
def test_i_37_the_judge_sees_an_account_that_does_not_allow_it(
    changes: dict[str, Any], word: str
) -> None:
    facts, done = bought()
    found = breaches(replace(facts, **changes), done)
    assert any(word in one for one in found), found


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"online": False}, "not online"),
        ({"unresolved": True}, "unknown outcome"),
        ({"age_s": 11.0}, "s old"),
        ({"bid": Decimal(49_000)}, "too wide a spread"),
    ],
)
def test_i_37_the_judge_sees_a_market_that_does_not_allow_it(
    changes: dict[str, Any], word: str
) -> None:
    facts, done = bought()
    market = Market(*scenes.TOUCH[BTC])
    found = breaches(
        replace(facts, markets=facts.markets | {BTC: replace(market, **changes)}), done
    )
    assert any(word in one for one in found), found


def test_i_37_the_judge_sees_a_sale_of_what_is_not_held() -> None:
    scene = scenes.scene("holding")
    done = scene.answered(SOLD)
    assert breaches(scene.facts, done) == []
    less = replace(scene.facts, held={BTC: Decimal("0.001")}, may_sell=False)
    words = " ".join(breaches(less, done))
    assert "of 0.001 held" in words
    assert "nothing may be sent" in words
    low = with_request(done, limit_price=Decimal("49000.0"))
    assert "below the touch" in " ".join(breaches(scene.facts, low))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"verdict": "hold"}, "verdict hold"),
        ({"verdict": "maybe"}, "'maybe'"),
        ({"pair": "XBT/USD"}, "decisions about"),
        ({"cl_ord_id": None}, "names order None"),
        ({"rationale": "a\x1b[2J"}, "in a text"),
        ({"detail": "\ud800"}, "in a text"),
        ({"reason": "because"}, "without a reason"),
    ],
)
def test_i_37_i_38_the_judge_sees_a_wrong_decision(changes: dict[str, Any], word: str) -> None:
    facts, done = bought()
    found = breaches(facts, with_row(done, **changes))
    assert any(word in one for one in found), found


def test_i_37_i_39_the_judge_sees_a_missing_decision_and_a_strange_action() -> None:
    facts, done = bought()
    without = [
        one
        for one in done
        if not (isinstance(one, a.Remember) and isinstance(one.record, DecisionRow))
    ]
    assert "decisions about []" in " ".join(breaches(facts, without))
    more = [*done, a.CancelAllOrders(reason=Reason.OPERATOR)]
    assert "CancelAllOrders" in " ".join(breaches(facts, more))


@pytest.mark.parametrize(
    ("name", "raised", "word"),
    [
        ("full", {"max_asset_exposure": Decimal(1)}, "cap of the asset"),
        ("fresh", {"base_order": Decimal(5_000)}, "more than the base order"),
        ("fresh", {"risk_multiplier_low": Decimal(3)}, "more than the base order"),
        ("stale", {"max_quote_age_s": 1_000.0}, "s old"),
    ],
)
def test_i_37_the_judge_sees_a_limit_that_an_answer_had_raised(
    name: str, raised: dict[str, Any], word: str
) -> None:
    """As if a word of the model had reached the settings: the real engine then goes too far."""
    scene = scenes.scene(name)
    engine = Engine.restore(scene.state)
    settings = msgspec.structs.replace(engine.state.settings, **raised)
    engine.state.settings = settings
    assert engine.state.cycle is not None
    engine.state.cycle.settings = settings
    event = scene.event(BOTH, "content", "stop")
    found = breaches(scene.facts, engine.process(e.Stamped(scene.seq + 1, scene.at, event)))
    assert any(word in one for one in found), found
