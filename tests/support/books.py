"""Compares the sandbox's own ledger with every table of the daemon, to the last unit."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from system import Place, rows, truth

ZERO = Decimal(0)
# A sandbox order's own status -> the states in which we may know it after a clean stop.
AGREES = {
    "filled": {"FILLED"},
    "canceled": {"CANCELED", "EXPIRED"},
    "expired": {"EXPIRED", "CANCELED"},
    "new": {"OPEN", "SENT"},
    "partially_filled": {"PARTIAL"},
}
# States in which an order never reached the exchange.
NEVER_THERE = {"VOID", "REJECTED", "NOT_ACCEPTED"}

_TABLES = (
    "SELECT asset, balance FROM kraken_balances",
    "SELECT * FROM trades ORDER BY trade_id",
    "SELECT base, owner, left_qty, opened_exec_id FROM holding_lots WHERE NOT deleted",
    "SELECT * FROM pending_trades ORDER BY approved_at",
    "SELECT exec_id FROM kraken_trades",
    "SELECT * FROM v_decision_audit",
    "SELECT DISTINCT epoch FROM engine_journal",
)


@dataclass
class Books:
    """What was compared, and every difference in words; balanced when there is none."""

    orders: int = 0
    buys: int = 0
    sells: int = 0
    fills: int = 0
    epochs: int = 0
    states: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """One more difference."""
        self.differences.append(sentence)


def compare(where: Place) -> Books:
    """Read both sides of a daemon that was stopped, and compare them."""
    real = truth(where)
    balances, trades, lots, orders, mirrored, audit, epochs = rows(where, *_TABLES)
    books = Books(
        orders=len(orders),
        buys=sum(row["side"] == "buy" for row in orders),
        sells=sum(row["side"] == "sell" for row in orders),
        fills=len(trades),
        epochs=len(epochs),
        states=dict(Counter(row["state"] for row in orders)),
    )
    _ledger(books, real)
    _balances(books, real, {row["asset"]: row["balance"] for row in balances})
    _trades(books, real, trades)
    _mirror(books, real, [row["exec_id"] for row in mirrored])
    _lots(books, real, lots)
    _orders(books, real, orders)
    _audit(books, audit, trades)
    return books


def _ledger(books: Books, real: dict[str, Any]) -> None:
    """I-13: for each asset, balance == opening + amounts - fees, tolerance zero."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for asset, amount in real["opening"].items():
        sums[asset] += Decimal(amount)
    for entry in real["ledger"]:
        sums[entry["asset"]] += Decimal(entry["amount"]) - Decimal(entry["fee"])
    for asset in sorted({*sums, *real["balances"]}):
        balance = Decimal(real["balances"].get(asset, "0"))
        if balance != sums[asset]:
            books.say(f"{asset}: the sandbox has {balance}, opening and ledger give {sums[asset]}")


def _balances(books: Books, real: dict[str, Any], known: Mapping[str, Decimal]) -> None:
    for asset in sorted({*known, *real["balances"]}):
        balance = Decimal(real["balances"].get(asset, "0"))
        if balance != known.get(asset, ZERO):
            books.say(f"{asset}: the sandbox has {balance}, kraken_balances {known.get(asset)}")


def _trades(books: Books, real: dict[str, Any], trades: list[dict[str, Any]]) -> None:
    """I-11: the same trades, each once, with the same price, quantity and fee."""
    ours = Counter(row["exec_id"] for row in trades)
    theirs = Counter(trade["exec_id"] for trade in real["trades"])
    for exec_id in sorted(ours.keys() | theirs.keys()):
        if ours[exec_id] != theirs[exec_id]:
            books.say(f"trade {exec_id}: {theirs[exec_id]} in the sandbox, {ours[exec_id]} booked")
    rows_by_id = {row["exec_id"]: row for row in trades}
    for trade in real["trades"]:
        row = rows_by_id.get(trade["exec_id"])
        if row is None:
            continue
        for name in ("price", "qty", "cost", "fee"):
            if Decimal(trade[name]) != row[name]:
                books.say(f"trade {trade['exec_id']}: {name} {trade[name]}, booked {row[name]}")
        for name in ("cl_ord_id", "order_id", "pair", "side"):
            if trade[name] != row[name]:
                books.say(f"trade {trade['exec_id']}: {name} {trade[name]}, booked {row[name]}")


def _mirror(books: Books, real: dict[str, Any], mirrored: list[str]) -> None:
    unknown = set(mirrored) - {trade["exec_id"] for trade in real["trades"]}
    if unknown:
        books.say(f"kraken_trades has {sorted(unknown)}, which the sandbox does not know")


def _lots(books: Books, real: dict[str, Any], lots: list[dict[str, Any]]) -> None:
    """I-15: open lots of an asset == its balance; nothing external, nothing negative."""
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    known = {trade["exec_id"] for trade in real["trades"]}
    for lot in lots:
        held[lot["base"]] += lot["left_qty"]
        if lot["left_qty"] < ZERO:
            books.say(f"a lot of {lot['base']} has {lot['left_qty']} left")
        if lot["owner"] != "ai":
            books.say(f"a lot of {lot['base']} belongs to {lot['owner']!r}")
        if lot["opened_exec_id"] not in known:
            books.say(f"a lot of {lot['base']} traces to no trade ({lot['opened_exec_id']})")
    for asset in sorted({*held, *real["balances"]} - {"USD"}):
        balance = Decimal(real["balances"].get(asset, "0"))
        if balance != held[asset]:
            books.say(f"{asset}: the sandbox has {balance}, open lots {held[asset]}")


def _orders(books: Books, real: dict[str, Any], orders: list[dict[str, Any]]) -> None:
    """Every order is known on both sides in states that agree, and none twice (I-02, I-04)."""
    theirs = {order["cl_ord_id"]: order for order in real["orders"]}
    if len(theirs) != len(real["orders"]):
        books.say("a cl_ord_id was used twice at the exchange")
    ours = {row["cl_ord_id"]: row for row in orders}
    for name in sorted(theirs.keys() - ours.keys(), key=str):
        books.say(f"order {name} is at the exchange and not in pending_trades")
    for name, row in ours.items():
        order = theirs.get(name)
        if order is None:
            if row["state"] not in NEVER_THERE:
                books.say(f"order {name} is {row['state']} here and not at the exchange")
            continue
        if row["state"] not in AGREES[order["status"]]:
            books.say(f"order {name} is {row['state']} here and {order['status']} there")
        if row["filled_qty"] != Decimal(order["cum_qty"]):
            books.say(f"order {name}: filled {row['filled_qty']} here, {order['cum_qty']} there")
        if Decimal(order["qty"]) != row["qty"]:
            books.say(f"order {name}: qty {row['qty']} here, {order['qty']} there")


def _audit(books: Books, audit: list[dict[str, Any]], trades: list[dict[str, Any]]) -> None:
    """v_decision_audit: every decision has its snapshot, an approved one its order and fills."""
    fills = Counter(row["cl_ord_id"] for row in trades)
    for row in audit:
        name = f"decision {row['decision_id']}"
        if row["verdict"] == "approved" and (row["cl_ord_id"] is None or row["qty"] is None):
            books.say(f"{name} is approved and joins no order")
        advised = row["confidence"] is not None  # exits are decided by rule: nobody was asked
        if advised and None in (row["snapshot_id"], row["prompt"], row["reply"]):
            books.say(f"{name} is advice without snapshot, prompt or reply")
        if row["cl_ord_id"] is not None and (row["fills"] or 0) != fills[row["cl_ord_id"]]:
            books.say(f"{name}: {row['fills']} fills in the view, {fills[row['cl_ord_id']]} trades")
        if row["order_state"] == "FILLED" and not row["fills"]:
            books.say(f"{name}: its order is FILLED without a fill")
