"""The upstream's reference data decides what can be traded, and nothing stands in for it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from relay_parts import BTC, Paper, fills, refusal

from simple_trader.sandbox.relay import opening
from simple_trader.sandbox.relay.metadata import (
    FILE,
    Metadata,
    keep_metadata,
    kept_metadata,
    read_metadata,
)
from simple_trader.sandbox.settings import SandboxError, SandboxOptions

ASSETS: dict[str, Any] = {
    "XXBT": {"altname": "XBT", "decimals": 10, "display_decimals": 5, "status": "enabled"},
    "ZUSD": {"altname": "USD", "decimals": 4, "display_decimals": 2},
    "XXDG": {"altname": "XDG", "decimals": 8, "display_decimals": 2},
    "XBT.F": {"altname": "XBT.F", "decimals": 10, "display_decimals": 5},
    "BAD": {"altname": "BAD", "decimals": "many", "display_decimals": 2},
}
PAIR: dict[str, Any] = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "cost_decimals": 5,
    "pair_decimals": 1, "lot_decimals": 8, "ordermin": "0.00005", "costmin": "0.5",
    "tick_size": "0.5", "status": "online", "fees": [[0, 0.2], [50000, 0.16]],
}  # fmt: skip
DOGE: dict[str, Any] = {**PAIR, "altname": "XDGUSD", "wsname": "XDG/USD", "base": "XXDG",
                        "fees": [[0, 0.4]]}  # fmt: skip


def body(result: Any) -> bytes:
    return json.dumps({"error": [], "result": result}).encode()


def read(pairs: dict[str, Any]) -> Metadata:
    return read_metadata(body(pairs), body(ASSETS))


def test_names_are_those_of_the_socket_and_figures_those_of_the_upstream() -> None:
    found = read({"XXBTZUSD": PAIR, "XDGUSD": DOGE})
    btc = found.by_symbol["BTC/USD"]
    assert (btc.rest_id, btc.altname, btc.wsname) == ("XXBTZUSD", "XBTUSD", "XBT/USD")
    assert (btc.base, btc.quote) == ("BTC", "USD")
    assert btc.price_increment == Decimal("0.5")
    assert btc.increment_ticks == 5
    assert btc.fee_table == "stable"
    assert found.by_symbol["DOGE/USD"].fee_table == "crypto"
    names = {asset.name: asset.parent for asset in found.assets}
    assert names == {"BTC": "", "USD": "", "DOGE": "", "BTC.F": "BTC"}


@pytest.mark.parametrize(
    "change",
    [
        {"tick_size": "0"}, {"tick_size": None}, {"pair_decimals": -1}, {"base": "BAD"},
        {"wsname": None}, {"ordermin": "lots"}, {"lot_decimals": 99},
    ],
    ids=str,
)  # fmt: skip
def test_a_pair_that_cannot_be_read_whole_is_left_out(change: dict[str, Any]) -> None:
    found = read({"XXBTZUSD": {**PAIR, **change}, "XDGUSD": DOGE})
    assert list(found.by_symbol) == ["DOGE/USD"]


@pytest.mark.parametrize(
    "pairs", [b"<html>", b'{"error":["EService:Busy"]}', b"[]", body({}), body([])]
)
def test_an_answer_without_pairs_is_one_sentence(pairs: bytes) -> None:
    with pytest.raises(SandboxError, match=r"upstream's AssetPairs .*\.$"):
        read_metadata(pairs, body(ASSETS))


def test_it_is_kept_and_read_again(tmp_path: Path) -> None:
    assert kept_metadata(tmp_path) is None
    found = read({"XXBTZUSD": PAIR})
    keep_metadata(tmp_path, found)
    assert kept_metadata(tmp_path) == found
    (tmp_path / FILE).write_text("{")
    with pytest.raises(SandboxError, match="--fresh"):
        kept_metadata(tmp_path)


async def test_new_rules_hold_from_the_next_start_and_a_lost_pair_keeps_its_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Paper(tmp_path)
    first.book([(1000, 10)], [(1001, 5)])
    first.order("buy", 4, 1000)
    truth = first.there.truth()
    first.there.close()
    kept = kept_metadata(tmp_path)
    assert kept is not None
    without = tuple(pair for pair in kept.pairs if pair.symbol != BTC)
    options = SandboxOptions(relay=True, state=tmp_path)

    async def told(*_: Any, **__: Any) -> Metadata:
        return Metadata(kept.assets, without)

    monkeypatch.setattr(opening, "ask_metadata", told)
    again = await opening.open_relay(options, first.wall)
    assert again.truth() == truth
    assert kept_metadata(tmp_path) == kept, "its orders could not be read any more"
    second = Paper()
    second.there, second.books = again, {}
    again.live = second.books.get
    assert refusal(second.order("buy", 4, 1000)) == "EService:Unavailable"
    second.cancel_all()
    again.close()
    eth = msgspec.structs.replace(kept.by_symbol["ETH/USD"], qty_min=Decimal(3))
    changed = {**kept.by_symbol, "ETH/USD": eth}

    async def told_all(*_: Any, **__: Any) -> Metadata:
        return Metadata(kept.assets, tuple(changed.values()))

    monkeypatch.setattr(opening, "ask_metadata", told_all)
    third = Paper()
    third.there, third.books = await opening.open_relay(options, first.wall), {}
    third.there.live = third.books.get
    third.book([(1000, 10)], [(1001, 5)])
    assert fills(third.order("buy", 4)) == [(1001, 4)]
    assert third.there.pairs["ETH/USD"].qty_min == 3
    assert kept_metadata(tmp_path) == Metadata(kept.assets, tuple(changed.values()))
    third.there.close()
