"""Decision gates as a table: from a model's words to a wish or to the one reason there is none.

Each line is one answer about BTC/USD at 49999.5 / 50000.5 and a taker fee of 0.4 percent, so that a
round trip costs 0.802 percent: what the model wrote (`-` leaves a field out), the move it expects
(`5%`, a target as `@51000`), what is held (value in USD), the limits, what is known of the model's
confidence (`new`: fewer than 200 marks), and what must come of it: `buy VALUE`, `sell VALUE` or a
reason.
"""

import json
from decimal import Decimal

import pytest
from market_parts import BTC, quote, settings

from simple_trader.core.scoring.calibration import MIN_MARKS, Calibration
from simple_trader.core.strategy.advice import Unusable, judge
from simple_trader.core.strategy.ai_strategy import Skip, weigh, wish
from simple_trader.domain.marks import MarkSource

TABLE = """
action  confidence  risk     move     held   | min    max     known    | outcome

# the rules of seed 000: confidence at least 0.70, risk at most medium, 1000 x risk x confidence
buy     0.7         low      -        0      | 0.7    medium  new      | buy 700
buy     0.7         medium   -        0      | 0.7    medium  new      | buy 490
sell    0.9         low      -        500    | 0.7    medium  new      | sell 700
sell    1           medium   -        0.01   | 0.7    medium  new      | sell 490
sell    1.0         low      -        0      | 0.7    medium  new      | nothing_to_sell

# at, below and above the confidence; the profile many_small_trades asks for 0.80
buy     0.6999      low      -        0      | 0.7    medium  new      | confidence_too_low
buy     0           low      -        0      | 0.7    medium  new      | confidence_too_low
buy     0           low      -        0      | 0      medium  new      | buy 0
buy     0.7001      low      -        0      | 0.7    medium  new      | buy 700
buy     1           low      -        0      | 1      medium  new      | buy 1000
buy     0.9999      low      -        0      | 1      medium  new      | confidence_too_low
buy     0.7999      low      -        0      | 0.8    medium  new      | confidence_too_low
buy     0.8         low      -        0      | 0.8    medium  new      | buy 800
buy     0.8001      low      -        0      | 0.8    medium  new      | buy 800

# at, below and above the risk; a high risk buys half where it is allowed
buy     0.8         high     -        0      | 0.7    medium  new      | risk_too_high
buy     0.8         medium   -        0      | 0.7    low     new      | risk_too_high
buy     0.8         low      -        0      | 0.7    low     new      | buy 700
buy     0.8         medium   -        0      | 0.7    medium  new      | buy 490
buy     0.8         high     -        0      | 0.7    high    new      | buy 350

# at, below and above the expected move: round trip 0.802 and min_expected_move_pct 0.02
buy     0.8         low      0.8219%  0      | 0.7    medium  new      | move_too_small
buy     0.8         low      0.822%   0      | 0.7    medium  new      | buy 700
buy     0.8         low      0.8221%  0      | 0.7    medium  new      | buy 700
buy     0.8         low      0%       0      | 0.7    medium  new      | move_too_small
sell    0.8         low      -0.8219% 500    | 0.7    medium  new      | move_too_small
sell    0.8         low      -0.822%  500    | 0.7    medium  new      | sell 700
sell    0.8         low      -0.8221% 500    | 0.7    medium  new      | sell 700
buy     0.8         low      @50410.9 0      | 0.7    medium  new      | move_too_small
buy     0.8         low      @50411   0      | 0.7    medium  new      | buy 700
buy     0.8         low      @50411.1 0      | 0.7    medium  new      | buy 700
sell    0.8         low      @49589.1 500    | 0.7    medium  new      | move_too_small
sell    0.8         low      @49589   500    | 0.7    medium  new      | sell 700

# at, below and above 200 marks, of which 60 percent were right: then the size is min(raw, 0.6)
buy     0.8         low      -        0      | 0.7    medium  199x0.6  | buy 700
buy     0.8         low      -        0      | 0.7    medium  200x0.6  | buy 600
buy     0.8         low      -        0      | 0.7    medium  205x0.6  | buy 600
buy     0.99        low      -        0      | 0.7    medium  200x0.6  | buy 600
buy     0.8         low      -        0      | 0.7    medium  200x0.9  | buy 800
buy     0.7         low      -        0      | 0.7    medium  200x0.9  | buy 700
buy     0.8         medium   -        0      | 0.7    medium  200x0    | buy 0

# one reason each: hold before confidence, then risk, then the move, then holdings
hold    0.99        low      -        500    | 0.7    medium  new      | advised_hold
hold    0.1         high     0%       0      | 0.7    medium  new      | advised_hold
sell    0.5         high     0%       0      | 0.7    medium  new      | confidence_too_low
sell    0.8         high     0%       0      | 0.7    medium  new      | risk_too_high
sell    0.8         low      0%       0      | 0.7    medium  new      | move_too_small
sell    0.8         low      -5%      0      | 0.7    medium  new      | nothing_to_sell

# what is not plainly right never reaches a gate
buy     "0.8"       low      -        0      | 0.7    medium  new      | advice_wrong_type
buy     true        low      -        0      | 0.7    medium  new      | advice_wrong_type
buy     null        low      -        0      | 0.7    medium  new      | advice_wrong_type
buy     -           low      -        0      | 0.7    medium  new      | advice_wrong_type
buy     1.01        low      -        0      | 0.7    medium  new      | advice_out_of_range
buy     1e309       low      -        0      | 0.7    medium  new      | advice_out_of_range
buy     NaN         low      -        0      | 0.7    medium  new      | advice_malformed
all-in  0.99        low      -        0      | 0.7    medium  new      | advice_malformed
Buy     0.99        low      -        0      | 0.7    medium  new      | advice_malformed
-       0.99        low      -        0      | 0.7    medium  new      | advice_wrong_type
buy     0.99        minimal  -        0      | 0.7    medium  new      | advice_malformed
buy     0.99        -        -        0      | 0.7    medium  new      | advice_wrong_type
buy     0.99        low      -5%      0      | 0.7    medium  new      | advice_contradictory
sell    0.99        low      5%       500    | 0.7    medium  new      | advice_contradictory
buy     0.99        low      @49999   0      | 0.7    medium  new      | advice_contradictory
sell    0.99        low      @50001   500    | 0.7    medium  new      | advice_contradictory
buy     0.99        low      1001%    0      | 0.7    medium  new      | advice_out_of_range
buy     0.99        low      @550001  0      | 0.7    medium  new      | advice_out_of_range
"""

LINES = [
    line
    for line in TABLE.strip().splitlines()[1:]
    if line.strip() and not line.lstrip().startswith("#")
]
QUOTE = quote(bid="49999.5", ask="50000.5")
SOURCE = MarkSource(provider="p", model="m", template_hash="t")


def answer(action: str, confidence: str, risk: str, move: str) -> str:
    """The model's JSON with the numbers written exactly as in the table."""
    fields = {"pair": json.dumps(BTC), "action": json.dumps(action), "confidence": confidence}
    fields["risk_level"] = json.dumps(risk)
    fields["expected_move_pct"] = move.rstrip("%") if move.endswith("%") else "-"
    fields["price_target"] = move.lstrip("@") if move.startswith("@") else "-"
    dropped = {"-", json.dumps("-")}
    inside = ", ".join(f'"{name}": {text}' for name, text in fields.items() if text not in dropped)
    return f'{{"decisions": [{{{inside}}}]}}'


def calibration(known: str) -> Calibration:
    """What so many marks with such a share of right ones teach."""
    taught = Calibration()
    if known != "new":
        count, share = known.split("x")
        right = round(int(count) * float(share))
        for number in range(int(count)):
            taught.learn(SOURCE, 0.75, is_right=number < right)
    return taught


def outcome(words: str, limits: str) -> str:
    """What the brain makes of one line."""
    action, confidence, risk, move, held = words.split()
    least, most, known = limits.split()
    judged = judge(
        answer(action, confidence, risk, move),
        kind="tool_call",
        finish_reason="tool_calls",
        pairs=(BTC,),
        mids={BTC: QUOTE.mid},
    )[BTC]
    if isinstance(judged, Unusable):
        return judged.reason.value
    rules = settings(min_confidence=float(least), max_risk_level=most)
    earned = calibration(known).size_confidence(SOURCE, judged.confidence, rules.min_confidence)
    weighed = weigh(judged, rules, quote=QUOTE, taker=Decimal("0.004"), size_confidence=earned)
    wanted = wish(judged, weighed, rules, holding_value=Decimal(held), decision_id="d1")
    if isinstance(wanted, Skip):
        return wanted.reason.value
    return f"{wanted.side} {format(wanted.value.normalize(), 'f')}"


@pytest.mark.parametrize("line", LINES)
def test_each_line_of_the_table_comes_out_as_it_says(line: str) -> None:
    words, limits, expected = line.split("|")
    assert outcome(words, limits) == expected.strip()


def test_the_table_stands_around_the_real_number_of_marks() -> None:
    assert MIN_MARKS == 200
