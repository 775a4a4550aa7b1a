"""What an operator does to the exchange: transfers, statuses, rules of a pair, fee tiers."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from simple_trader.simulator.accounts import to_unit
from simple_trader.simulator.checks import BAD, positive
from simple_trader.simulator.engine import Engine
from simple_trader.simulator.ids import kraken_id
from simple_trader.simulator.instruments import ASSET_BY_NAME
from simple_trader.simulator.orders import (
    REASON_DELISTED,
    ZERO,
    SetPair,
    SetSystem,
    SetVolume,
    Transfer,
)
from simple_trader.simulator.reports import PairChanged, Posted, Refused, Report, SystemChanged

UNKNOWN_ACCOUNT = "EAccount:Unknown account"
NO_BALANCE = "EFunding:Insufficient funds"

_Value = TypeVar("_Value")


def transfer(engine: Engine, command: Transfer, at: datetime) -> list[Report]:
    """Post one ledger entry without a trade; what open orders hold cannot leave."""
    account = engine.state.accounts.get(command.account)
    if account is None:
        return [Refused(UNKNOWN_ACCOUNT)]
    if command.asset not in ASSET_BY_NAME:
        return [Refused("EFunding:Unknown asset")]
    amount = command.amount
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        return [Refused(f"{BAD}:amount")]
    amount = to_unit(amount, command.asset)
    if amount == 0:
        return [Refused(f"{BAD}:amount")]
    if amount < 0 and -amount > engine.available(account.name, command.asset):
        return [Refused(NO_BALANCE)]
    ref_id = kraken_id("F", account.seed, len(account.ledger))
    entry = account.post(at, ref_id, command.kind, command.asset, amount, ZERO)
    return [Posted(account.name, (entry,))]


def set_system(engine: Engine, command: SetSystem) -> list[Report]:
    """Give the whole exchange another status."""
    engine.state.system = command.status
    engine.look_at_statuses()
    return [SystemChanged(command.status)]


def set_pair(engine: Engine, command: SetPair, at: datetime) -> list[Report]:
    """Give a pair another status or other rules; a delisted pair loses its open orders."""
    pair = engine.pairs.get(command.symbol)
    if pair is None:
        return [Refused("EQuery:Unknown asset pair")]
    amounts = (command.qty_min, command.cost_min, command.price_increment)
    if any(amount is not None and not positive(amount) for amount in amounts):
        return [Refused(f"{BAD}:amount")]
    if command.price_increment is not None and pair.ticks_of(command.price_increment) is None:
        return [Refused(f"{BAD}:price_increment")]
    known = engine.state.overrides.get(command.symbol, SetPair(symbol=command.symbol))
    engine.state.overrides[command.symbol] = SetPair(
        symbol=command.symbol,
        status=_pick(command.status, known.status),
        qty_min=_pick(command.qty_min, known.qty_min),
        cost_min=_pick(command.cost_min, known.cost_min),
        price_increment=_pick(command.price_increment, known.price_increment),
        index=_pick(command.index, known.index),
    )
    engine.override(command)
    engine.look_at_statuses()
    reports: list[Report] = [PairChanged(command.symbol)]
    if command.status == "delisted":
        for order in list(engine.open.values()):
            if order.symbol == command.symbol:
                engine.close(order, "canceled", REASON_DELISTED, at, reports)
    return reports


def _pick(new: _Value | None, old: _Value | None) -> _Value | None:
    return old if new is None else new


def set_volume(engine: Engine, command: SetVolume) -> list[Report]:
    """Give an account a 30-day volume in USD, and with it a fee tier for new orders and fills."""
    account = engine.state.accounts.get(command.account)
    if account is None:
        return [Refused(UNKNOWN_ACCOUNT)]
    if not command.volume.is_finite() or command.volume < 0:
        return [Refused(f"{BAD}:volume")]
    account.volume.set(command.volume)
    return []
