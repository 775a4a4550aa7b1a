"""The sections of config.yaml that hold keys of their own, the advisors' apart."""

from decimal import Decimal
from typing import Self

from pydantic import model_validator

from simple_trader.config.fields import Dsn, Flag, Money, Section, Speed, Text, Whole, setting


class Sim(Section):
    """The simulated exchange."""

    initial_capital: Money = setting(
        Decimal(10_000), "Opening balance of the sandbox account.",
        unit="USD", ge=0, le=Decimal("1e12"), at_start=True,
    )  # fmt: skip
    speed: Speed = setting(
        60.0, "Ceiling of market seconds per real second, above 0, or max for none; `--speed` "
        "overrides it.", unit="market seconds per second", at_start=True,
    )  # fmt: skip
    seed: Whole = setting(
        1, "Seed of the generated market and of the paths inside replayed bars; another seed is "
        "another world. `--seed` overrides it.", ge=0, le=2**63 - 1, at_start=True,
    )  # fmt: skip


class Paper(Section):
    """Paper trading: Kraken's live prices, an account and fills of our own."""

    initial_capital: Money = setting(
        Decimal(10_000), "Opening balance of the paper account.",
        unit="USD", ge=0, le=Decimal("1e12"), at_start=True,
    )  # fmt: skip
    latency_low_ms: Whole = setting(
        30, "Shortest time that an order is on its way.", unit="milliseconds", ge=0, le=10_000,
        at_start=True,
    )  # fmt: skip
    latency_high_ms: Whole = setting(
        250, "Longest time that an order is on its way; each order draws its own.",
        unit="milliseconds", ge=0, le=10_000, at_start=True,
    )  # fmt: skip
    rest_url: Text = setting(
        "https://api.kraken.com", "Public REST that is relayed: Kraken's, or a sandbox on this "
        "machine (http://127.0.0.1:PORT).", at_start=True,
    )  # fmt: skip
    public_url: Text = setting(
        "wss://ws.kraken.com/v2", "Public feed that is relayed: Kraken's, or that of a sandbox on "
        "this machine (ws://127.0.0.1:PORT/v2).", at_start=True,
    )  # fmt: skip

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.latency_low_ms > self.latency_high_ms:
            raise ValueError(
                f"latency_low_ms ({self.latency_low_ms}) must not be above "
                f"latency_high_ms ({self.latency_high_ms})"
            )
        return self


class RiskMultipliers(Section):
    """Share of base_order for each risk level the advisor names."""

    low: Money = setting(Decimal("1.0"), "Share of base_order at risk level low.", ge=0, le=1)
    medium: Money = setting(Decimal("0.7"), "Share of base_order at level medium.", ge=0, le=1)
    high: Money = setting(Decimal("0.5"), "Share of base_order at risk level high.", ge=0, le=1)


class Database(Section):
    """Where the rows go."""

    dsn: Dsn = setting(
        "", "PostgreSQL 15 or newer, without password (POSTGRES_DSN in .env goes first); "
        "empty: the embedded server.", at_start=True,
    )  # fmt: skip
    bin_dir: Text = setting(
        "", "Directory with initdb, postgres and psql for the embedded server; empty: the build "
        "that came with the program.", at_start=True,
    )  # fmt: skip
    embedded_in_live: Flag = setting(
        False, "Whether mode live may keep its books on the embedded server.", at_start=True
    )


class Health(Section):
    """The loopback health endpoint."""

    port: Whole = setting(
        0, "Port of GET /health on 127.0.0.1; 0: any free one.", ge=0, le=65_535, at_start=True
    )


class RetentionDays(Section):
    """Days of market time that high-volume tables keep; the rest is never deleted."""

    price_history: Whole = setting(30, "Days of price_history.", unit="days", ge=1, le=36_500)
    order_book_metrics: Whole = setting(7, "Days of order_book_metrics.", unit="days", ge=1,
                                        le=36_500)  # fmt: skip
    engine_journal: Whole = setting(30, "Days of engine_journal.", unit="days", ge=1, le=36_500)
