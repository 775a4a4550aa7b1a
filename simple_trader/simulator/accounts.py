"""The accounts: balances, holds and ledger, exact to the last unit of each asset."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec

from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.fees import VolumeWindow
from simple_trader.simulator.ids import kraken_id
from simple_trader.simulator.instruments import ASSET_BY_NAME, Instrument
from simple_trader.simulator.limits import RateCount, Tier
from simple_trader.simulator.orders import MAIN, ZERO, Entry, EntryKind, Order
from simple_trader.simulator.triggers import limit_now


class AccountSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How an account begins; `volume_30d` in USD, `counted`: its trading counter limits it."""

    name: str = MAIN
    opening: dict[str, Decimal] = msgspec.field(default_factory=dict)
    volume_30d: Decimal = ZERO
    tier: Tier = "intermediate"
    counted: bool = False


class Account(msgspec.Struct):
    """Balances by asset; for each: balance = opening + sum(amounts) - sum(fees), residual 0."""

    seed: int
    opening: dict[str, Decimal]
    balances: dict[str, Decimal]
    name: str = MAIN
    tier: Tier = "intermediate"
    counted: bool = False
    ledger: list[Entry] = msgspec.field(default_factory=list)
    volume: VolumeWindow = msgspec.field(default_factory=VolumeWindow)
    counters: dict[str, RateCount] = msgspec.field(default_factory=dict)

    def post(
        self,
        at: datetime,
        ref_id: str,
        kind: EntryKind,
        asset: str,
        amount: Decimal,
        fee: Decimal,
    ) -> Entry:
        """Book one ledger entry; `amount` and `fee` must already be at the asset's precision."""
        balance = self.balances.get(asset, ZERO) + amount - fee
        self.balances[asset] = balance
        entry = Entry(
            ledger_id=kraken_id("L", self.seed, len(self.ledger)),
            ref_id=ref_id,
            at=at,
            kind=kind,
            asset=asset,
            amount=amount,
            fee=fee,
            balance=balance,
        )
        self.ledger.append(entry)
        return entry


def open_account(seed: int, spec: AccountSpec) -> Account:
    """Open an account with its opening balances (they are not in the ledger)."""
    exact = {asset: to_unit(amount, asset) for asset, amount in spec.opening.items()}
    return Account(
        # Each account names its ledger entries from a stream of its own: no two share an id.
        seed=seed if spec.name == MAIN else stream_key(seed, "account", spec.name),
        opening=dict(exact),
        balances=dict(exact),
        name=spec.name,
        tier=spec.tier,
        counted=spec.counted,
        volume=VolumeWindow(standing=spec.volume_30d),
    )


def to_unit(amount: Decimal, asset: str) -> Decimal:
    """Round an amount down to what the ledger of the asset can hold.

    Down, for costs and fees alike: the sum of many fills then never exceeds what was held.
    """
    return amount.quantize(ASSET_BY_NAME[asset].unit, ROUND_FLOOR)


def hold_of(order: Order, pair: Instrument) -> tuple[str, Decimal]:
    """Give the asset and amount that an open order reserves, its worst fee included.

    A buy without a limit reserves at its trigger, a scheduled one at the price of its placing.
    """
    left = order.open_qty
    factor = 1 if order.fee_in_base and order.side == "buy" else 1 + order.hold_rate
    if order.side == "sell":
        amount = left * factor if order.fee_in_base else left
        return pair.base, amount.quantize(ASSET_BY_NAME[pair.base].unit, ROUND_CEILING)
    if order.cash_qty is not None:
        cost = order.cash_qty if order.status == "pending_new" else ZERO
    else:
        price = limit_now(order, pair)
        if price is None and order.trigger is not None:
            price = order.trigger.actual_price
        cost = left * (price or order.hold_price or ZERO)
    return pair.quote, (cost * factor).quantize(ASSET_BY_NAME[pair.quote].unit, ROUND_CEILING)


def holds(orders: Iterable[Order], pairs: dict[str, Instrument]) -> dict[str, Decimal]:
    """Add up what open orders reserve, by asset."""
    held: dict[str, Decimal] = {}
    for order in orders:
        asset, amount = hold_of(order, pairs[order.symbol])
        held[asset] = held.get(asset, ZERO) + amount
    return held
