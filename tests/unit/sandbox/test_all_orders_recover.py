"""Hundreds of drawn orders of every kind: exact ledgers, and the same state after a kill."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.session import Session

SECRET = "c2FuZGJveC1zZWNyZXQ="
ACCOUNTS = f"""
accounts:
  main: {{balances: {{USD: 100000, BTC: 3}}, counters: off}}
  other: {{balances: {{USD: 50000, BTC: 1}}, tier: pro, counters: on}}
keys:
  - {{key: main, secret: {SECRET}}}
  - {{key: other, secret: {SECRET}, account: other}}
"""
KINDS = (
    "limit limit limit market iceberg stop-loss stop-loss-limit take-profit take-profit-limit "
    "trailing-stop trailing-stop-limit"
).split()


def drawn_order(dice: random.Random, last: float) -> dict[str, Any]:
    kind, side = dice.choice(KINDS), dice.choice(("buy", "sell"))
    near = round(last * dice.uniform(0.999, 1.001), 1)
    order: dict[str, Any] = {
        "order_type": kind, "side": side, "order_qty": round(dice.uniform(0.0002, 0.01), 8),
    }  # fmt: skip
    if kind.startswith("trailing"):
        order["triggers"] = {"price": dice.choice((0.01, 0.05)), "price_type": "pct"}
    elif kind.startswith(("stop", "take")):
        order["triggers"] = {"price": near}
    if kind == "trailing-stop-limit":
        order["limit_price"] = 5.0
    elif kind in ("limit", "iceberg") or kind.endswith("-limit"):
        order["limit_price"] = round(last * dice.uniform(0.9995, 1.0005), 1)
    if kind == "iceberg":
        order["order_qty"], order["display_qty"] = 0.01, 0.001
    if kind == "limit":
        order |= dice.choice(
            ({}, {"post_only": True}, {"time_in_force": "ioc"}, {"time_in_force": "fok"})
        )
    if dice.random() < 0.2:
        order["conditional"] = {"order_type": "limit", "limit_price": round(last * 1.001, 1)}
    if dice.random() < 0.3:
        order["fee_preference"] = dice.choice(("base", "quote"))
    if dice.random() < 0.3:
        order["stp_type"] = dice.choice(("cancel_newest", "cancel_oldest", "cancel_both"))
    return order


def act(
    dice: random.Random, there: Exchange, desks: list[tuple[Session, str, str]]
) -> list[dict[str, Any]]:
    session, token, account = dice.choice(desks)
    last = there.market("BTC/USD").bid / 10
    mine = [order.order_id for order in there.venue.open_of(account)]
    choice = dice.random()
    common = {"symbol": "BTC/USD", "token": token}
    if choice < 0.6 or not mine:
        return parts.ask(session, "add_order", **drawn_order(dice, last), **common)
    if choice < 0.7:
        orders = [drawn_order(dice, last) for _ in range(3)]
        return parts.ask(session, "batch_add", orders=orders, **common)
    if choice < 0.8:
        changes = {"limit_price": round(last, 1), "order_qty": 0.003}
        return parts.ask(session, "amend_order", order_id=dice.choice(mine), **changes, token=token)
    if choice < 0.88:
        edit = {"order_id": dice.choice(mine), "limit_price": round(last, 1)}
        return parts.ask(session, "edit_order", **edit, **common)
    if choice < 0.97:
        return parts.ask(session, "cancel_order", order_id=[dice.choice(mine)], token=token)
    return parts.ask(session, "cancel_all", token=token)


def residuals(there: Exchange, account: str) -> list[Decimal]:
    truth = there.truth(account)
    left = []
    for asset, balance in truth["balances"].items():
        rows = [row for row in truth["ledger"] if row["asset"] == asset]
        moved = sum((Decimal(r["amount"]) - Decimal(r["fee"]) for r in rows), Decimal(0))
        left.append(Decimal(balance) - Decimal(truth["opening"].get(asset, "0")) - moved)
    return left


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_kinds_of_orders_leave_exact_ledgers_and_come_back_after_a_kill(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text(ACCOUNTS)
    there = parts.exchange(accounts=path, state=tmp_path / "s")
    dice = random.Random(seed)
    desks = []
    for account in ("main", "other"):
        session, token = there.open_session(private=True), there.keys.issue_token(account)
        for channel in ("executions", "balances"):
            parts.ask(session, "subscribe", channel=channel, token=token)
        desks.append((session, token, account))
    rest = parts.Signed(there, "main", SECRET)
    seen: set[str] = set()
    for _ in range(250):
        frames = act(dice, there, desks)
        parts.step(there)
        for session, _, _ in desks:
            frames += parts.decoded(session)
        seen |= {row.get("exec_type") for frame in frames for row in frame.get("data", [])}
    wanted = {"pending_new", "new", "trade", "filled", "canceled", "amended", "status"}
    assert wanted <= seen
    assert rest.good("TradesHistory")["count"] > 50
    for account in ("main", "other"):
        assert set(residuals(there, account)) == {Decimal(0)}
        assert min(Decimal(v) for v in there.truth(account)["balances"].values()) >= 0
    lost = there.save()
    assert there._journal is not None
    there._journal.close()
    again = parts.exchange(accounts=path, state=tmp_path / "s")
    assert again.save() == lost
