"""The aggregator: what one decision cycle knows about each pair, for record and advisor alike.

Everything shown goes into the rows first; briefs and question are made of the rows alone, so that
what is stored is what was asked (I-43).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.market.price_board import PairBoard
from simple_trader.core.scoring.labels import QUIET
from simple_trader.core.strategy.answer_text import clean
from simple_trader.core.strategy.features import Features, features_of
from simple_trader.domain.actions import AskAdvice, PairBrief, Question
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.moments import to_rfc3339
from simple_trader.domain.money import ZERO, at_precision, plain
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import SnapshotRow
from simple_trader.domain.settings import TradingSettings
from simple_trader.domain.shown import (
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TEXTS,
    OutsideText,
    ShownLimits,
)

CASH = "cash"
_FRACTION_DECIMALS = 6


class CycleInputs(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the account and the market at the start of one cycle.

    `holdings` are values in quote units by pair, `cash` and `equity` in the reporting currency,
    `unrealised_pct` percent of cost, `cost_pct` a round trip in percent of the price. `texts` are
    words that are not ours. Pairs missing from a dict hold nothing, know nothing, or may not be
    traded.
    """

    cycle_id: str
    as_of: datetime
    config_hash: str
    boards: tuple[PairBoard, ...]
    holdings: dict[str, Decimal]
    unrealised_pct: dict[str, float | None]
    cash: Decimal
    equity: Decimal
    tradable: dict[str, bool]
    cost_pct: dict[str, Decimal]
    snapshot_ids: dict[str, str]
    settings: TradingSettings
    texts: dict[str, tuple[OutsideText, ...]] = {}


def snapshots(inputs: CycleInputs) -> tuple[SnapshotRow, ...]:
    """One row to remember for each pair that has a price now, in the order of the prompt.

    Raises InvariantBroken if anything in them is from after the cycle's moment (fault M02): a model
    must never see its own future.
    """
    rows: list[SnapshotRow] = []
    for board in inputs.boards:
        quote = board.quote
        if quote is None or price_fault(quote, inputs.as_of, inputs.settings) is not None:
            continue
        features = features_of(board, inputs.as_of)
        refuse_future(board.pair, features, inputs.as_of)
        rows.append(_row(inputs, board.pair, quote, features, len(rows)))
    return tuple(rows)


def price_fault(
    quote: Quote | None, at: datetime, settings: TradingSettings
) -> tuple[Reason, str] | None:
    """Why a pair has no price that could be shown at `at`, with words for people; None: it has one.

    While nothing is seen of the market for a whole cycle its last price is none of now: no question
    is worth its cost, and no outcome may be counted from it. Nor is a crossed quote a price.
    """
    if quote is None:
        return Reason.NO_PRICE, "no quote of this pair yet"
    if quote.seen_at > at:
        return Reason.PRICE_AHEAD, f"{quote.ahead_s(at):.1f} s ahead of our clock"
    if not ZERO < quote.bid < quote.ask:
        return Reason.PRICE_UNREASONABLE, f"bid {quote.bid:f}, ask {quote.ask:f}"
    silence = at - quote.seen_at
    longest_s = max(settings.aggregator_interval_s, settings.max_quote_age_s)
    if silence > max(QUIET, timedelta(seconds=longest_s)):
        return Reason.PRICE_STALE, f"no quote for {silence.total_seconds():.0f} s"
    return None


def refuse_future(pair: str, features: Features, as_of: datetime) -> None:
    """The point-in-time rule (I-42): no event behind any feature is later than `as_of`."""
    late = features.later_than(as_of)
    if late:
        raise InvariantBroken(
            f"{', '.join(late)} of {pair} at {as_of.isoformat()} use an event of "
            f"{features.newest_event_at.isoformat()}, which had not happened yet"
        )


def brief_of(row: SnapshotRow) -> PairBrief:
    """What the advisor is shown of a stored row; nothing else goes into a prompt."""
    return PairBrief(
        pair=row.pair,
        snapshot_id=row.snapshot_id,
        mid=row.mid,
        bid=row.bid,
        ask=row.ask,
        spread_bps=row.spread_bps,
        features=row.features,
        holding_fraction=float(row.balances[row.pair]),
        unrealised_pct=row.unrealised_pct,
        probabilities=row.probabilities,
        tradable=row.tradable,
        cost_pct=None if row.cost_pct is None else float(row.cost_pct),
        texts=row.texts,
    )


def question_about(
    question: Question, rows: Sequence[SnapshotRow], *, advisor: str = ""
) -> AskAdvice:
    """The question to an advisor about the rows of one cycle (at least one), in their order."""
    first = rows[0]
    limits = first.limits
    return AskAdvice(
        question=question,
        cycle_id=first.cycle_id,
        as_of=first.as_of,
        briefs=tuple(brief_of(row) for row in sorted(rows, key=_position)),
        cash_fraction=float(first.balances[CASH]),
        max_asset_exposure=limits.max_asset_exposure,
        max_total_exposure=limits.max_total_exposure,
        min_confidence=limits.min_confidence,
        max_risk_level=limits.max_risk_level,
        min_expected_move_pct=limits.min_expected_move_pct,
        interval_s=limits.interval_s,
        advisor=advisor,
    )


def fraction(part: Decimal, equity: Decimal) -> Decimal:
    """`part` as a fraction of equity with six decimals; 0 where there is no equity."""
    return at_precision(part / equity, _FRACTION_DECIMALS) if equity > ZERO else ZERO


def bounded(texts: Sequence[OutsideText]) -> tuple[OutsideText, ...]:
    """The first of `texts`, each cut and without control characters, so that a row stays small."""
    return tuple(
        OutsideText(source=clean(text.source, MAX_SOURCE), text=clean(text.text, MAX_TEXT))
        for text in texts[:MAX_TEXTS]
    )


def _position(row: SnapshotRow) -> int:
    return row.position


def _row(
    inputs: CycleInputs, pair: str, quote: Quote, features: Features, position: int
) -> SnapshotRow:
    holding = inputs.holdings.get(pair, ZERO)
    spread = features.values["spread_bps"]
    return SnapshotRow(
        snapshot_id=inputs.snapshot_ids[pair],
        cycle_id=inputs.cycle_id,
        pair=pair,
        position=position,
        as_of=inputs.as_of,
        newest_event_at=max(features.newest_event_at, quote.seen_at),
        mid=quote.mid,
        bid=quote.bid,
        ask=quote.ask,
        spread_bps=float((quote.ask - quote.bid) / quote.mid) * 10_000.0
        if spread is None
        else spread,
        features=features.values,
        feature_times=_times(features),
        balances={
            CASH: plain(fraction(inputs.cash, inputs.equity)),
            pair: plain(fraction(holding, inputs.equity)),
        },
        unrealised_pct=inputs.unrealised_pct.get(pair),
        tradable=inputs.tradable.get(pair, False),
        cost_pct=inputs.cost_pct.get(pair),
        limits=_limits(inputs.settings),
        texts=bounded(inputs.texts.get(pair, ())),
        config_hash=inputs.config_hash,
    )


def _limits(settings: TradingSettings) -> ShownLimits:
    return ShownLimits(
        min_confidence=settings.min_confidence,
        max_risk_level=settings.max_risk_level,
        min_expected_move_pct=settings.min_expected_move_pct,
        max_asset_exposure=float(settings.max_asset_exposure),
        max_total_exposure=float(settings.max_total_exposure),
        interval_s=settings.aggregator_interval_s,
    )


def _times(features: Features) -> dict[str, tuple[str, ...]]:
    """The features by the moment of their newest event, oldest first: few moments, many names."""
    moments: dict[datetime, list[str]] = {}
    for name, at in features.event_at.items():
        moments.setdefault(at, []).append(name)
    return {to_rfc3339(at): tuple(sorted(moments[at])) for at in sorted(moments)}
