"""The rules of the stand-in advisor: a score from plain figures, and what it makes of it.

score = weighted mean, over the figures that are there, of
    EMA cross   (ema_12 - ema_26) / price, full at 40 bps                        weight 0.30
    MACD        histogram / price, full at 10 bps                                weight 0.20
    momentum    return over about 15 candles, full at 1 %                        weight 0.20
    RSI         50..70 rises to 1, above 70 falls to -1 (overbought); mirrored   weight 0.15
    Bollinger   below the lower band +1, above the upper -1, 0 in the middle     weight 0.15
    model       2 x probability - 1 of the nearest horizon that has one          weight 0.20
Each part and so the score is in [-1, 1]. It knows nothing of the market that these figures do not
say, and it is not meant to earn money: it makes the program's whole path visible without an LLM.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

BUY_ABOVE = 0.10
SELL_BELOW = -0.25  # further away than BUY_ABOVE: what was just bought is not sold at once
FIRST_ABOVE = -0.25  # of a flat account: see `decide_all`
MIN_ROOM = 0.01  # of equity
HELD = 0.001  # a holding below this share of equity is dust
CONFIDENT = 0.70
HORIZON_MINUTES = 1_440  # what it says is marked a day later: no shorter move pays for two fees
_MOMENTUM_KEYS = ("roc_15_pct", "return_15", "return_15_pct", "momentum_15", "change_24h_pct")


# A score of plain figures says nothing of how far the price will go.
_NOT_TOLD = (
    "price_target",
    "stop_loss",
    "expected_move_pct",
    "bias_allocation",
    "sentiment",
)


class Chance(msgspec.Struct, kw_only=True):
    """What the online model says of one horizon."""

    horizon_s: int = 0
    probability_up: float | None = None


class Pair(msgspec.Struct, kw_only=True):
    """One pair of the prompt's JSON block; only what the rules read."""

    pair: str
    price: float
    spread_bps: float | None = None
    holding_fraction: float = 0.0
    model: list[Chance] = []
    tradable: bool = True
    features: dict[str, float | None] = {}


class Block(msgspec.Struct, kw_only=True):
    """The fenced JSON block that every prompt ends with; shares are of equity."""

    pairs: list[Pair]
    as_of: str = ""
    cycle_id: str = ""
    cash_fraction: float = 1.0
    max_asset_exposure: float = 1.0
    max_total_exposure: float = 1.0


class Scored(msgspec.Struct, frozen=True):
    """A pair with its score in [-1, 1] and the parts of it; None where no figure is known."""

    pair: Pair
    score: float | None
    parts: dict[str, float]


def decide_all(block: Block) -> list[dict[str, Any]]:
    """One decision for each pair, in the order of the block.

    An account that holds nothing at all is given a modest first position in its best pair unless
    that pair's score is below FIRST_ABOVE, so that a newcomer soon sees a trade.
    """
    scored = [score(pair) for pair in block.pairs]
    first = _first_position(block, scored)
    return [_decide(block, item, is_first=item is first) for item in scored]


def score(pair: Pair) -> Scored:
    """The score of one pair and its parts."""
    weighted = [part for part in _parts(pair) if part[2] is not None]
    total = sum(weight for _, weight, _ in weighted)
    if not total:
        return Scored(pair=pair, score=None, parts={})
    parts = {name: value for name, _, value in weighted if value is not None}
    mean = sum(weight * parts[name] for name, weight, _ in weighted) / total
    return Scored(pair=pair, score=_clip(mean), parts=parts)


def _parts(pair: Pair) -> list[tuple[str, float, float | None]]:
    figures = pair.features
    said = (view.probability_up for view in pair.model)
    probability = next((value for value in said if value is not None), None)
    return [
        ("EMA cross", 0.30, _ema_cross(figures, pair.price)),
        ("MACD", 0.20, _share(figures.get("macd_hist"), pair.price, full=0.001)),
        ("momentum", 0.20, _momentum(figures)),
        ("RSI", 0.15, _rsi(figures.get("rsi_14"))),
        ("Bollinger", 0.15, _bollinger(figures, pair.price)),
        ("model", 0.20, None if probability is None else _clip(2 * probability - 1)),
    ]


def _ema_cross(figures: Mapping[str, float | None], price: float) -> float | None:
    fast, slow = figures.get("ema_12"), figures.get("ema_26")
    return None if fast is None or slow is None else _share(fast - slow, price, full=0.004)


def _share(value: float | None, price: float, *, full: float) -> float | None:
    return None if value is None or price <= 0 else _clip(value / price / full)


def _momentum(figures: Mapping[str, float | None]) -> float | None:
    for key in _MOMENTUM_KEYS:
        value = figures.get(key)
        if value is not None:
            full = 1.0 if key.endswith("_pct") else 0.01
            return _clip(value / full)
    return None


def _rsi(value: float | None) -> float | None:
    if value is None:
        return None
    away = abs(value - 50)
    strength = away / 20 if away <= 20 else 1 - (away - 20) / 5
    return _clip(strength if value >= 50 else -strength)


def _bollinger(figures: Mapping[str, float | None], price: float) -> float | None:
    upper, lower = figures.get("bb_upper"), figures.get("bb_lower")
    if upper is None or lower is None or upper <= lower:
        return None
    return _clip(1 - 2 * (price - lower) / (upper - lower))


def _clip(value: float) -> float:
    return max(-1.0, min(1.0, value))


# -- from a score to a decision -----------------------------------------------------------------


def _room(block: Block, pair: Pair) -> float:
    invested = 1.0 - block.cash_fraction
    return min(
        block.max_asset_exposure - pair.holding_fraction,
        block.max_total_exposure - invested,
        block.cash_fraction,
    )


def _first_position(block: Block, scored: list[Scored]) -> Scored | None:
    """The best pair of an account that holds nothing, or None."""
    if any(item.pair.holding_fraction > HELD for item in scored) or block.cash_fraction < 0.98:
        return None
    able = [
        (item.score, -index, item)
        for index, item in enumerate(scored)
        if item.score is not None and item.score >= FIRST_ABOVE
        if item.pair.tradable and _room(block, item.pair) > MIN_ROOM
    ]
    return max(able, key=lambda entry: entry[:2])[2] if able else None


def _decide(block: Block, item: Scored, *, is_first: bool) -> dict[str, Any]:
    pair, value = item.pair, item.score
    if value is None:
        return _decision(pair, "hold", 0.5, "there are not enough figures yet")
    why = _why(item)
    if not pair.tradable:
        return _decision(pair, "hold", 0.5, f"the pair is not tradable; {why}")
    if pair.holding_fraction > HELD and value < SELL_BELOW:
        return _decision(pair, "sell", CONFIDENT + 0.25 * abs(value), why)
    is_flat = pair.holding_fraction <= HELD
    wants = value >= BUY_ABOVE or is_first or (is_flat and value >= 0.0)
    if wants and _room(block, pair) > MIN_ROOM:
        text = f"first position, nothing speaks clearly against it; {why}" if is_first else why
        return _decision(pair, "buy", CONFIDENT + 0.02 + 0.23 * max(value, 0.0), text)
    if wants:
        return _decision(pair, "hold", 0.5 + 0.2 * abs(value), f"no room left; {why}")
    return _decision(pair, "hold", 0.5 + 0.2 * abs(value), why)


def _why(item: Scored) -> str:
    parts = ", ".join(f"{name} {value:+.2f}" for name, value in item.parts.items())
    return f"score {item.score:+.2f} from {parts}"


def _decision(pair: Pair, action: str, confidence: float, why: str) -> dict[str, Any]:
    """A decision with every field of the schema; what these rules cannot tell is null."""
    return dict.fromkeys(_NOT_TOLD) | {
        "pair": pair.pair,
        "action": action,
        "confidence": round(max(0.5, min(0.95, confidence)), 4),
        "risk_level": risk_level(pair),
        "horizon_minutes": HORIZON_MINUTES,
        "rationale": f"stand-in advisor, not an LLM: {action}, {why}.",
    }


def risk_level(pair: Pair) -> str:
    """low, medium or high by the spread (5 and 30 bps) and the Bollinger width (2 and 10 %)."""
    spread = pair.spread_bps if pair.spread_bps is not None else 10.0
    upper, lower = pair.features.get("bb_upper"), pair.features.get("bb_lower")
    width = 0.05
    if upper is not None and lower is not None and pair.price > 0:
        width = (upper - lower) / pair.price
    if spread > 30 or width > 0.10:
        return "high"
    return "low" if spread <= 5 and width <= 0.02 else "medium"
