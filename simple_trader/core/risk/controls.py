"""Controls: what holds orders back (PT1 to PT20), the limits in force, and their tests."""

from collections.abc import Callable

import msgspec

from simple_trader.core.market.price_board import LOSSES_MAX
from simple_trader.core.risk import repeats, strikes
from simple_trader.core.risk.ceilings import ENTRY_LIFE_S, ORDERS_PER_SECOND, in_force
from simple_trader.core.risk.limits import TWIN_WITHIN
from simple_trader.core.risk.risk_manager import APPROVAL_LIFE_S
from simple_trader.domain.settings import TradingSettings


class Control(msgspec.Struct, frozen=True):
    """One control: its stable id, what it is, how its limit reads, and where it is tested."""

    name: str
    title: str
    limit: Callable[[TradingSettings], str]
    tested_in: str


def _turnover(s: TradingSettings) -> str:
    return (
        f"{s.max_notional_per_minute:f} a minute, {s.max_notional_per_hour:f} an hour, "
        f"{s.max_notional_per_day:f} a day; of one pair {s.max_pair_notional_per_minute:f}, "
        f"{s.max_pair_notional_per_hour:f}, {s.max_pair_notional_per_day:f} USD; entries half"
    )


def _size(s: TradingSettings) -> str:
    own = ", ".join(f"{qty:f} {pair}" for pair, qty in sorted(s.max_order_qty.items()))
    return f"{s.max_order_value:f} quote units" + (f"; {own}" if own else "")


def _messages(s: TradingSettings) -> str:
    return (
        f"{s.max_orders_per_minute} orders a minute and {ORDERS_PER_SECOND} a second on a pair, "
        f"{s.max_open_orders} open; {strikes.COOL_AFTER} refusals in a row: cool-down, "
        f"{strikes.HALT_AFTER}: HALT; {repeats.FILLED_MAX} fills of a kind in ten minutes: HALT"
    )


def _data(s: TradingSettings) -> str:
    return (
        f"quote within {s.max_quote_age_s:g} s, spread within {s.max_spread_bps:g} bps, not "
        f"crossed; {LOSSES_MAX} failed checksums in ten minutes: no new risk"
    )


def _capital(s: TradingSettings) -> str:
    return (
        f"{s.max_asset_exposure:f} of equity in one asset, {s.max_total_exposure:f} in all, worst "
        f"case; stops at {s.daily_loss_limit:f} lost in a day, {s.max_drawdown:f} from the peak"
    )


def _always(text: str) -> Callable[[TradingSettings], str]:
    return lambda _: text


_RULES = "tests/scenarios/test_pretrade_rules.py"
_ORDER = "tests/unit/core/risk/test_order_checks.py"
CONTROLS: tuple[Control, ...] = (
    Control("PT1", "price collar", lambda s: f"{s.price_collar_bps} bps", _RULES),
    Control("PT2", "size of one order", _size, _ORDER),
    Control("PT3", "value of orders in a time", _turnover, "tests/unit/core/risk/test_turnover.py"),
    Control("PT4", "capital at risk", _capital, _RULES),
    Control(
        "PT5",
        "repeated orders",
        _always(f"none while it is open, and {TWIN_WITHIN.total_seconds():g} s after it was made"),
        _RULES,
    ),
    Control("PT6", "messages and loops", _messages, _ORDER),
    Control(
        "L20",
        "advice to and fro",
        lambda s: (
            f"{s.max_flips_per_day} changes of side on a pair a day; value as PT3, entries half"
        ),
        _ORDER,
    ),
    Control("PT10", "market data", _data, "tests/unit/core/risk/test_market_checks.py"),
    Control(
        "PT13",
        "who may raise a limit",
        _always("a person, by `limits accept`; compiled ceilings above"),
        "tests/unit/config/test_limits.py",
    ),
    Control(
        "I-10",
        "life of an order",
        lambda s: (
            f"sent within {APPROVAL_LIFE_S:g} s, accepted within {s.order_deadline_s:g} s; a "
            f"resting entry ends after {ENTRY_LIFE_S:g} s"
        ),
        _RULES,
    ),
)


def lines(settings: TradingSettings) -> list[tuple[str, str, str, str]]:
    """(id, title, limit in force, tests) of each control, the compiled ceilings applied."""
    now = in_force(settings)
    return [(one.name, one.title, one.limit(now), one.tested_in) for one in CONTROLS]
