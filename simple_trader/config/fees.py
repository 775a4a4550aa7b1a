"""Exits that lie within the fees of a purchase and a sale: allowed, but worth a sentence."""

from decimal import Decimal

from simple_trader.config.schema import Settings
from simple_trader.simulator.fees import TIERS

_EXITS = ("stop_loss_percent", "take_profit_percent")


def fee_notes(settings: Settings) -> dict[str, str]:
    """A sentence for each exit key below the fees of a round trip; an exit that is off is fine.

    Both ways as a taker at Kraken's entry tier (protocol section 13): the dearest case.
    """
    taker = TIERS[0].taker_pct
    both: Decimal = 2 * taker
    return {
        name: (
            f"{name}: {value} percent is less than the fees of a purchase and a sale, "
            f"{both} percent at Kraken's entry tier (2 x {taker} percent as a taker)."
        )
        for name in _EXITS
        if 0 < (value := getattr(settings, name)) < both
    }
