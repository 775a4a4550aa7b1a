"""What the composition hands to this room: who is asked in which order, shadows, budget, files."""

from decimal import Decimal

import msgspec

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.provider import ProviderSettings


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Most that may be spent in any real hour and any 24 real hours; None: no bound."""

    tokens_per_hour: int | None = None
    tokens_per_day: int | None = None
    usd_per_hour: Decimal | None = None
    usd_per_day: Decimal | None = None


class ShadowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One shadow: its own prompt and the one provider that it asks."""

    assets: LlmAssets
    provider: ProviderSettings


class LlmPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One version of everything: `providers` are tried in their order, `shadows` are by name."""

    assets: LlmAssets
    providers: tuple[ProviderSettings, ...] = ()
    shadows: dict[str, ShadowPlan] = {}
    budget: Budget = Budget()
    log_files: bool = False

    def told(self) -> str:
        """Who advises, in a line for people."""
        names = [one.label or f"{one.model} at {one.base_url}" for one in self.providers]
        return ", then ".join(names) or "nobody"

    def everyone(self) -> tuple[ProviderSettings, ...]:
        """All that may be asked, each once."""
        found = (*self.providers, *(shadow.provider for shadow in self.shadows.values()))
        return tuple(dict.fromkeys(found))
