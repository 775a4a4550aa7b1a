"""Boot is recovery: rows, then the exchange's own words, then one Started event for the brain."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

import msgspec

from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.events import Started
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules
from simple_trader.domain.quotes import Candle
from simple_trader.domain.records import (
    AssetRow,
    BalanceRow,
    LedgerRecord,
    PairRow,
)
from simple_trader.domain.recovered import Recovered
from simple_trader.domain.settings import TradingSettings
from simple_trader.ports import Boot, Clock, VenueReads

log = logging.getLogger(__name__)

T = TypeVar("T")

CANDLE_S = 60
RETRY_FIRST_S, RETRY_MAX_S = 0.5, 30.0


@dataclass(frozen=True)
class BootPlan:
    """What a start is about: the mode, the world, and the first configuration version."""

    mode: str
    world: str
    settings: TradingSettings
    config_hash: str
    source: str = ""  # the text behind the hash, for config_versions
    texts: Mapping[str, str] = field(default_factory=dict)  # templates and tool schemas by name
    program: str = ""  # which program this is, for replay


async def boot(
    plan: BootPlan, *, store: Boot, reads: VenueReads, clock: Clock, recovered: Recovered
) -> Started:
    """Mirror rules and balances into the database and gather what the brain starts from.

    Orders, trades and ledger are left to the first reconciliation: it reads them once, through the
    brain, and the counter of REST calls has room for that at once.
    An exchange that does not answer is waited for; one that refuses (a wrong key) raises
    VenueRefused.
    """
    settings = plan.settings
    live = [order for order in recovered.orders if not order.is_terminal]
    held = {lot.pair for lot in recovered.lots} | {order.request.pair for order in live}
    extra = tuple(sorted(held - set(settings.traded_pairs)))
    wanted = settings.traded_pairs + extra
    status = await patient(reads.system_status)
    assets = await patient(reads.assets)
    pairs = await patient(reads.pairs)
    known = {rules.pair for rules in pairs}
    for pair in wanted:
        if pair not in known:
            log.warning("the exchange has no pair %s; it will not be traded", pair)
    tradable = [pair for pair in wanted if pair in known]
    balances = await patient(reads.balances)
    fees = await patient(lambda: reads.fees(tradable))
    records: list[LedgerRecord] = [AssetRow(rules=rules) for rules in assets]
    records += [PairRow(rules=rules) for rules in pairs]
    at = clock.now()
    records += [
        BalanceRow(asset=asset, balance=Decimal(total), at=at, cause="boot")
        for asset, total in sorted(balances.items())
    ]
    await store.mirror(records, at=clock.now())
    candles: list[Candle] = []
    for pair in tradable:
        read = partial(reads.candles, pair, CANDLE_S, settings.quantity_of_price_history)
        candles += await patient(read)
    started = _started(plan, recovered, assets, pairs, fees, balances, candles, wanted)
    return msgspec.structs.replace(started, venue=status)


def _started(
    plan: BootPlan,
    recovered: Recovered,
    assets: Sequence[AssetRules],
    pairs: Sequence[PairRules],
    fees: Sequence[FeeRates],
    balances: dict[str, str],
    candles: Sequence[Candle],
    wanted: Sequence[str],
) -> Started:
    """The first event; only the pairs we care about go into the journal."""
    relevant = [rules for rules in pairs if rules.pair in wanted]
    names = {name for rules in relevant for name in (rules.base, rules.quote)}
    names |= set(balances)
    return Started(
        epoch=recovered.epoch,
        mode=plan.mode,
        world=plan.world,
        settings=plan.settings,
        config_hash=plan.config_hash,
        assets=tuple(rules for rules in assets if rules.asset in names),
        pairs=tuple(relevant),
        fees=tuple(fees),
        orders=recovered.orders,
        lots=recovered.lots,
        fills=recovered.fills,
        seen_exec_ids=recovered.seen_exec_ids,
        balances={asset: Decimal(total) for asset, total in balances.items()},
        risk=recovered.risk,
        turned=recovered.turned,
        candles=tuple(candles),
        last_cycle_at=recovered.last_cycle_at,
        last_training_at=recovered.last_training_at,
        pending_predictions=recovered.pending_predictions,
        learned=recovered.learned,
        last_trade_at=recovered.last_trade_at,
        realised_pnl=recovered.realised_pnl,
        realised_today=recovered.realised_today,
        fills_booked=recovered.fills_booked,
        cycles_run=recovered.cycles_run,
        undecided=recovered.undecided,
        ledger=recovered.ledger,
        marks=recovered.marks,
        source=plan.source,
        texts=dict(plan.texts),
        program=plan.program,
    )


async def patient(read: Callable[[], Awaitable[T]]) -> T:
    """Repeat a read until the exchange answers."""
    wait_s = RETRY_FIRST_S
    while True:
        try:
            return await read()
        except VenueUnreachable as error:
            log.warning("waiting for the exchange: %s", error)
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_MAX_S, wait_s * 2)
