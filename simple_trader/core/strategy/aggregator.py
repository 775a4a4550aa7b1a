"""The aggregator: what one decision cycle knows about each pair, for record and advisor alike."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.market.price_board import PairBoard
from simple_trader.core.strategy.features import Features, features_of
from simple_trader.domain.actions import PairBrief
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.money import ZERO, at_precision, plain
from simple_trader.domain.quotes import Quote
from simple_trader.domain.records import SnapshotRow
from simple_trader.domain.settings import TradingSettings

CASH = "cash"
_FRACTION_DECIMALS = 6


class CycleInputs(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the account and the market at the start of one cycle.

    `holdings` are values in quote units by pair, `cash` and `equity` in the reporting currency,
    `unrealised_pct` percent of cost. Pairs missing from a dict hold nothing, know nothing, or may
    not be traded.
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
    snapshot_ids: dict[str, str]
    probabilities: dict[str, float]
    probability_skill: str
    model_horizon_s: int
    settings: TradingSettings


def snapshots(
    inputs: CycleInputs,
) -> tuple[tuple[SnapshotRow, ...], tuple[PairBrief, ...]]:
    """One row to remember and one brief to show for each pair that has a quote.

    Row and brief are made of the same features. Raises InvariantBroken if anything in them is from
    after the cycle's moment (fault M02): a model must never see its own future.
    """
    rows: list[SnapshotRow] = []
    briefs: list[PairBrief] = []
    for board in inputs.boards:
        quote = board.quote
        if quote is None or quote.bid <= 0 or quote.ask <= 0:
            continue
        features = features_of(board, inputs.as_of)
        refuse_future(board.pair, features, inputs.as_of)
        rows.append(_row(inputs, board.pair, quote, features))
        briefs.append(_brief(inputs, board.pair, quote, features))
    return tuple(rows), tuple(briefs)


def refuse_future(pair: str, features: Features, as_of: datetime) -> None:
    """The point-in-time rule: no event behind the features is later than `as_of`."""
    if features.newest_event_at > as_of:
        raise InvariantBroken(
            f"features of {pair} at {as_of.isoformat()} use an event of "
            f"{features.newest_event_at.isoformat()}, which had not happened yet"
        )


def fraction(part: Decimal, equity: Decimal) -> Decimal:
    """`part` as a fraction of equity with six decimals; 0 where there is no equity."""
    return at_precision(part / equity, _FRACTION_DECIMALS) if equity > ZERO else ZERO


def _row(inputs: CycleInputs, pair: str, quote: Quote, features: Features) -> SnapshotRow:
    holding = inputs.holdings.get(pair, ZERO)
    return SnapshotRow(
        snapshot_id=inputs.snapshot_ids[pair],
        cycle_id=inputs.cycle_id,
        pair=pair,
        as_of=inputs.as_of,
        newest_event_at=features.newest_event_at,
        mid=quote.mid,
        features=features.values,
        balances={
            CASH: plain(fraction(inputs.cash, inputs.equity)),
            pair: plain(fraction(holding, inputs.equity)),
        },
        probability=inputs.probabilities.get(pair),
        config_hash=inputs.config_hash,
    )


def _brief(inputs: CycleInputs, pair: str, quote: Quote, features: Features) -> PairBrief:
    spread = features.values["spread_bps"]
    return PairBrief(
        pair=pair,
        snapshot_id=inputs.snapshot_ids[pair],
        mid=quote.mid,
        bid=quote.bid,
        ask=quote.ask,
        spread_bps=float((quote.ask - quote.bid) / quote.mid) * 10_000.0
        if spread is None
        else spread,
        features=features.values,
        holding_fraction=float(fraction(inputs.holdings.get(pair, ZERO), inputs.equity)),
        unrealised_pct=inputs.unrealised_pct.get(pair),
        probability=inputs.probabilities.get(pair),
        probability_skill=inputs.probability_skill,
        model_horizon_s=inputs.model_horizon_s,
        tradable=inputs.tradable.get(pair, False),
    )
