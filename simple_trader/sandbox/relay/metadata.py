"""The upstream's pairs and assets, from its own AssetPairs and Assets; nothing from our table.

Names follow protocol section 12: the v2 name of a pair is its `wsname` with XBT as BTC and XDG as
DOGE. A pair that cannot be read whole is left out, and with it refused: there are no fallbacks.
"""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec

from simple_trader.sandbox.relay.live_book import BadFrame
from simple_trader.sandbox.relay.news import PAIR_STATUSES, amount, precision
from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.fees import FEE_TABLES
from simple_trader.simulator.instruments import Asset, Instrument
from simple_trader.simulator.orders import PairStatus

FILE = "upstream.json"
_NEW_NAMES = {"XBT": "BTC", "XDG": "DOGE"}


class Metadata(msgspec.Struct, frozen=True):
    """What the upstream trades; kept beside the journal, so that its orders can be read again."""

    assets: tuple[Asset, ...]
    pairs: tuple[Instrument, ...]

    @property
    def by_symbol(self) -> dict[str, Instrument]:
        """The pairs by their v2 name."""
        return {pair.symbol: pair for pair in self.pairs}

    def over(self, kept: "Metadata") -> "Metadata":
        """Give these rules, and those of `kept` for what is listed no more.

        It stays known, for its orders, balances and history; without a book nobody trades it.
        """
        assets = {asset.name: asset for asset in (*kept.assets, *self.assets)}
        return Metadata(
            tuple(assets.values()), tuple({**kept.by_symbol, **self.by_symbol}.values())
        )


def read_metadata(asset_pairs: bytes, assets: bytes) -> Metadata:
    """Read the bodies of AssetPairs and Assets; raises SandboxError when they are none."""
    names: dict[str, str] = {}
    found_assets: list[Asset] = []
    for rest_id, row in _result(assets, "Assets").items():
        try:
            asset = _read_asset(rest_id, row)
        except BadFrame:
            continue
        names[rest_id] = asset.name
        found_assets.append(asset)
    pairs: list[Instrument] = []
    for rest_id, row in _result(asset_pairs, "AssetPairs").items():
        try:
            pairs.append(_read_pair(rest_id, row, names))
        except BadFrame:
            continue
    if not pairs:
        raise SandboxError("the upstream's AssetPairs hold no pair that can be read.")
    return Metadata(tuple(found_assets), tuple(pairs))


def _result(body: bytes, what: str) -> Mapping[str, Any]:
    try:
        message = json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise SandboxError(f"the upstream's {what} is not JSON.") from error
    result = message.get("result") if isinstance(message, dict) else None
    if not isinstance(result, dict):
        said = message.get("error") if isinstance(message, dict) else None
        raise SandboxError(f"the upstream's {what} has no result (error {said}).")
    return result


def new_name(altname: str) -> str:
    """Give the v2 name of an asset (`XBT` as `BTC`, `XBT.F` as `BTC.F`)."""
    stem, dot, suffix = altname.partition(".")
    return _NEW_NAMES.get(stem, stem) + dot + suffix


def _read_asset(rest_id: str, row: object) -> Asset:
    altname = row.get("altname") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(altname, str) or not altname:
        raise BadFrame("an asset without a name")
    status = row.get("status", "enabled")
    stem, _, suffix = altname.partition(".")
    return Asset(
        name=new_name(altname),
        rest_id=rest_id,
        altname=altname,
        precision=precision(row.get("decimals")),
        precision_display=precision(row.get("display_decimals")),
        status=status if isinstance(status, str) else "disabled",
        parent=new_name(stem) if suffix else "",
    )


def _read_pair(rest_id: str, row: object, names: Mapping[str, str]) -> Instrument:
    if not isinstance(row, dict):
        raise BadFrame("a pair that is none")
    base, quote = names.get(str(row.get("base"))), names.get(str(row.get("quote")))
    altname, wsname = row.get("altname"), row.get("wsname")
    if base is None or quote is None or not isinstance(altname, str):
        raise BadFrame("a pair of unknown assets")
    if not isinstance(wsname, str) or wsname.count("/") != 1:
        raise BadFrame("a pair without a name on the socket")
    first, second = wsname.split("/")
    decimals = precision(row.get("pair_decimals"))
    step = amount(row.get("tick_size"))
    if step == 0:
        raise BadFrame("a price step of zero")
    status = row.get("status")
    return Instrument(
        symbol=f"{new_name(first)}/{new_name(second)}",
        base=base,
        quote=quote,
        rest_id=rest_id,
        altname=altname,
        wsname=wsname,
        price_precision=decimals,
        price_increment=step,
        qty_min=amount(row.get("ordermin")),
        qty_precision=precision(row.get("lot_decimals")),
        cost_precision=precision(row.get("cost_decimals")),
        cost_min=amount(row.get("costmin")),
        fee_table=_fee_table(row.get("fees")),
        status=cast(PairStatus, status) if status in PAIR_STATUSES else "maintenance",
    )


def _fee_table(fees: object) -> str:
    """Name our schedule that begins with the same taker fee; unknown ones take the dearest."""
    try:
        first = Decimal(cast(Any, fees)[0][1])
    except (TypeError, IndexError, KeyError, ArithmeticError, ValueError):
        return "crypto"
    return next(
        (name for name, tiers in FEE_TABLES.items() if tiers[0].taker_pct == first), "crypto"
    )


def keep_metadata(folder: Path, metadata: Metadata) -> None:
    """Write it beside the journal; raises SandboxError."""
    path = folder / FILE
    draft = path.with_suffix(".tmp")
    try:
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(metadata))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise SandboxError(f"{path} cannot be written: {error.strerror}.") from error


def kept_metadata(folder: Path) -> Metadata | None:
    """Read what was kept; None when nothing was; raises SandboxError for a damaged file."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Metadata)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise SandboxError(f"{path} cannot be read ({error}); use --fresh.") from error
