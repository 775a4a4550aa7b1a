"""What may happen to an order and to the network around it, drawn by seed."""

import random
from dataclasses import dataclass
from decimal import Decimal

WAYS = ("ack lost", "ack lost", "ack lost", "late", "lost", "lost", "cut", "too late")


@dataclass(frozen=True)
class Weather:
    """The network of one world; lags and outages in market seconds."""

    rest_lag_s: float
    rest_fails: float
    pages_shift: float
    down_s: float
    deaf_until: float
    tier: str


@dataclass(frozen=True)
class Fate:
    """One order: what it asks for, how it travels, and what the exchange does to it later."""

    way: str
    side: str
    ioc: bool
    factor: str
    size: Decimal
    delay_s: float
    deed: str
    deed_after_s: float

    @property
    def cuts(self) -> bool:
        """Whether the connection ends just after it landed."""
        return self.way == "cut"

    @property
    def acked(self) -> bool:
        """Whether its answer arrives: never, these are lost acknowledgements."""
        return False


def draw_weather(dice: random.Random) -> Weather:
    """The network of a world: half of the worlds have a REST that lags, up to 60 s."""
    return Weather(
        rest_lag_s=dice.choice((0.0, 0.0, 5.0, 20.0, 45.0, 60.0, 60.0)),
        rest_fails=dice.choice((0.0, 0.0, 0.05, 0.15)),
        pages_shift=dice.choice((0.0, 0.0, 0.3)),
        down_s=dice.choice((0.0, 2.0, 20.0, 120.0)),
        deaf_until=dice.choice((0.0, 0.0, 30.0, 90.0, 150.0)),
        tier=dice.choice(("intermediate", "intermediate", "none")),
    )


def draw_fate(dice: random.Random) -> Fate:
    """One order of ours."""
    way = dice.choice(WAYS)
    shape = dice.choice(("take", "take", "rest", "rest", "sweep", "miss"))
    side = dice.choice(("buy", "sell"))
    away = {"buy": "0.9", "sell": "1.1"}[side]
    through = {"buy": "1.002", "sell": "0.998"}[side]
    delay_s = {"late": dice.uniform(2.0, 4.9), "too late": dice.uniform(5.1, 9.0)}.get(way, 0.0)
    deed = dice.choice(("", "fill", "part", "cancel", "part, cancel")) if shape == "rest" else ""
    return Fate(
        way=way,
        side=side,
        ioc=shape in ("take", "sweep", "miss"),
        factor=away if shape in ("rest", "miss") else through,
        size=Decimal(200) if shape == "sweep" else Decimal(1),
        delay_s=delay_s,
        deed=deed,
        deed_after_s=delay_s + dice.uniform(0.1, 40.0),
    )
