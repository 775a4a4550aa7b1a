"""Decision gates as a table: from a model's words to a wish or to the one reason there is none.

Each line is one answer about BTC/USD: what the model wrote (`-` leaves a field out), what is held
(value in USD), the limits, and what must come of it: `buy VALUE`, `sell VALUE` or a reason.
"""

import json
from decimal import Decimal

import pytest
from market_parts import BTC, settings

from simple_trader.core.strategy.advice import Unusable, judge
from simple_trader.core.strategy.ai_strategy import Skip, wish

TABLE = """
action  confidence  risk     held   | min    max     | outcome

# the rules of seed 000: confidence at least 0.70, risk at most medium, 1000 x risk x confidence
buy     0.7         low      0      | 0.7    medium  | buy 700
buy     0.7         medium   0      | 0.7    medium  | buy 490
buy     0.85        medium   500    | 0.7    medium  | buy 595
sell    0.9         low      500    | 0.7    medium  | sell 900
sell    1           medium   0.01   | 0.7    medium  | sell 700
sell    1.0         low      0      | 0.7    medium  | nothing_to_sell

# at, below and above the confidence
buy     0.6999      low      0      | 0.7    medium  | confidence_too_low
buy     0           low      0      | 0.7    medium  | confidence_too_low
buy     0           low      0      | 0      medium  | buy 0
buy     0.7001      low      0      | 0.7    medium  | buy 700.1
buy     1           low      0      | 1      medium  | buy 1000
buy     0.9999      low      0      | 1      medium  | confidence_too_low

# at, below and above the risk; a high risk buys half where it is allowed
buy     0.8         high     0      | 0.7    medium  | risk_too_high
buy     0.8         medium   0      | 0.7    low     | risk_too_high
buy     0.8         low      0      | 0.7    low     | buy 800
buy     0.8         high     0      | 0.7    high    | buy 400

# one reason each: hold before confidence, confidence before risk, risk before holdings
hold    0.99        low      500    | 0.7    medium  | advised_hold
hold    0.1         high     0      | 0.7    medium  | advised_hold
sell    0.5         high     0      | 0.7    medium  | confidence_too_low
sell    0.8         high     0      | 0.7    medium  | risk_too_high

# what is not plainly right never reaches a gate
buy     "0.8"       low      0      | 0.7    medium  | advice_wrong_type
buy     true        low      0      | 0.7    medium  | advice_wrong_type
buy     null        low      0      | 0.7    medium  | advice_wrong_type
buy     -           low      0      | 0.7    medium  | advice_wrong_type
buy     1.01        low      0      | 0.7    medium  | advice_out_of_range
buy     1e309       low      0      | 0.7    medium  | advice_out_of_range
buy     NaN         low      0      | 0.7    medium  | advice_malformed
all-in  0.99        low      0      | 0.7    medium  | advice_malformed
Buy     0.99        low      0      | 0.7    medium  | advice_malformed
-       0.99        low      0      | 0.7    medium  | advice_wrong_type
buy     0.99        minimal  0      | 0.7    medium  | advice_malformed
buy     0.99        -        0      | 0.7    medium  | advice_wrong_type
"""

LINES = [
    line
    for line in TABLE.strip().splitlines()[1:]
    if line.strip() and not line.lstrip().startswith("#")
]


def answer(action: str, confidence: str, risk: str) -> str:
    """The model's JSON with the confidence written exactly as in the table."""
    fields = {"pair": json.dumps(BTC), "action": json.dumps(action), "confidence": confidence}
    fields["risk_level"] = json.dumps(risk)
    dropped = {"-", json.dumps("-")}
    inside = ", ".join(f'"{name}": {text}' for name, text in fields.items() if text not in dropped)
    return f'{{"decisions": [{{{inside}}}]}}'


def outcome(words: str, limits: str) -> str:
    """What the brain makes of one line."""
    action, confidence, risk, held = words.split()
    least, most = limits.split()
    judged = judge(
        answer(action, confidence, risk), kind="tool_call", finish_reason="tool_calls", pairs=(BTC,)
    )[BTC]
    if isinstance(judged, Unusable):
        return judged.reason.value
    wanted = wish(
        judged,
        settings(min_confidence=float(least), max_risk_level=most),
        holding_value=Decimal(held),
        decision_id="d1",
    )
    if isinstance(wanted, Skip):
        return wanted.reason.value
    return f"{wanted.side} {format(wanted.value.normalize(), 'f')}"


@pytest.mark.parametrize("line", LINES)
def test_each_line_of_the_table_comes_out_as_it_says(line: str) -> None:
    words, limits, expected = line.split("|")
    assert outcome(words, limits) == expected.strip()
