"""Private REST that reads money, fees and the key itself (protocol section 11.5)."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from simple_trader.sandbox.names import rest_name, worth
from simple_trader.sandbox.rest_rows import amount_text, tier_row
from simple_trader.sandbox.rest_shared import ApiError, Call, is_modern, named_pairs
from simple_trader.simulator.fees import FEE_TABLES
from simple_trader.simulator.instruments import find_asset
from simple_trader.simulator.orders import ZERO

TOKEN_LIFE_S = 900


def balance(call: Call) -> Any:
    """Give total balances by REST asset id."""
    return {
        rest_name(name): amount_text(amount, name) for name, amount in call.view.balances.items()
    }


def balance_ex(call: Call) -> Any:
    """Give balances and what open orders hold; there is no credit."""
    view = call.view
    held = view.held(call.floor.venue.pairs)
    return {
        rest_name(name): {
            "balance": amount_text(amount, name),
            "hold_trade": amount_text(held.get(name, ZERO), name),
        }
        for name, amount in view.balances.items()
    }


def trade_balance(call: Call) -> Any:
    """Give the value of all balances in one asset at last prices; there is no margin."""
    asset = find_asset(call.fields.get("asset") or "ZUSD")
    if asset is None:
        raise ApiError("EQuery:Unknown asset")
    total = ZERO
    for name, amount in call.view.balances.items():
        rate = worth(call.floor, name, asset.name)
        total += amount * rate if rate is not None else ZERO
    text = f"{total.quantize(Decimal('0.0001'), ROUND_HALF_EVEN):f}"
    zero = "0.0000"
    return {
        "eb": text, "tb": text, "m": zero, "n": zero, "c": zero, "v": zero, "e": text,
        "mf": text, "mfo": text, "uv": zero,
    }  # fmt: skip


def open_positions(call: Call) -> Any:
    """Give the margin positions: a spot account has none, and Kraken says so with a list."""
    return []


def trade_volume(call: Call) -> Any:
    """Give the 30-day volume in USD and the fees of the pairs asked for."""
    floor = call.floor
    volume = floor.venue.state.accounts[call.account].volume.at(floor.now)
    answer: dict[str, Any] = {"currency": "ZUSD", "volume": f"{volume:.4f}"}
    if call.fields.get("pair"):
        pairs = named_pairs(floor, call.fields["pair"], modern=is_modern(call.fields))
        tables = {key: FEE_TABLES[pair.fee_table] for key, pair in pairs}
        answer["fees"] = {key: tier_row(t, volume, maker=False) for key, t in tables.items()}
        answer["fees_maker"] = {key: tier_row(t, volume, maker=True) for key, t in tables.items()}
    return answer


def token(call: Call) -> Any:
    """Issue a WebSocket token of the key."""
    return {"token": call.floor.keys.issue_token(call.spec.key), "expires": TOKEN_LIFE_S}


def key_info(call: Call) -> Any:
    """Say what the key may do; no permission is needed for that."""
    return call.floor.keys.info(call.spec)
