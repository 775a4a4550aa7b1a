"""Rules of fills, lots and cash: I-07, I-11 to I-15, I-17."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from checker.evidence import Evidence
from checker.lots import fold
from checker.record import ZERO
from checker.rows import Row

_MONEY = ("price", "qty", "cost")
_WORDS = ("cl_ord_id", "order_id", "pair", "side", "trade_id")


def i_07(e: Evidence) -> Iterator[str]:
    """Fills of an order never exceed it; they are what its row says; FILLED exactly when equal."""
    qty: dict[str, Decimal] = defaultdict(lambda: ZERO)
    cost: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for trade in e.rows.trades:
        if trade["cl_ord_id"] is not None:
            qty[trade["cl_ord_id"]] += trade["qty"]
            cost[trade["cl_ord_id"]] += trade["cost"]
    for name, row in e.orders.items():
        if qty[name] > row["qty"]:
            yield f"order {name} of {row['qty']} has fills of {qty[name]}"
        if row["filled_qty"] != qty[name] or row["filled_cost"] != cost[name]:
            yield (
                f"order {name}: {row['filled_qty']} for {row['filled_cost']} in its row, "
                f"{qty[name]} for {cost[name]} in trades"
            )
        if (row["state"] == "FILLED") != (qty[name] == row["qty"]):
            yield f"order {name} of {row['qty']} is {row['state']} with fills of {qty[name]}"
    for name, versions in e.history.items():
        most = max(version["filled_qty"] for version in versions)
        if name in e.orders and most > e.orders[name]["qty"]:
            yield f"order {name} of {e.orders[name]['qty']} was filled by {most}"


def i_11(e: Evidence) -> Iterator[str]:
    """The trades booked are the trades that happened: each once, each to the last digit."""
    if not e.facts.quiescent:
        return
    booked = Counter(row["exec_id"] for row in e.rows.trades)
    happened = Counter(trade.exec_id for trade in e.truth.trades)
    for exec_id in sorted(booked.keys() | happened.keys()):
        if booked[exec_id] != happened[exec_id]:
            yield f"trade {exec_id}: {happened[exec_id]} happened, {booked[exec_id]} booked"
    rows = {row["exec_id"]: row for row in e.rows.trades}
    for trade in e.truth.trades:
        row = rows.get(trade.exec_id)
        if row is None:
            continue
        names = _MONEY + (_WORDS if e.ours(trade.cl_ord_id) else _WORDS[1:])
        for name in names:
            if getattr(trade, name) != row[name]:
                yield (f"trade {trade.exec_id}: {name} {getattr(trade, name)}, booked {row[name]}")
        if _fees(row) != ({trade.fee_asset: trade.fee} if trade.fee else {}):
            yield f"trade {trade.exec_id}: fee {trade.fee} {trade.fee_asset}, booked {row['fees']}"
        if (row["owner"] == "external") == e.ours(trade.cl_ord_id):
            yield f"trade {trade.exec_id} of {trade.cl_ord_id} is booked for {row['owner']}"
    inbox = Counter(row["exec_id"] for row in e.rows.executions if row["exec_id"] is not None)
    for exec_id in sorted(happened.keys() - inbox.keys()):
        yield f"trade {exec_id} never came into the inbox"


def i_12(e: Evidence) -> Iterator[str]:
    """Lots and PnL are those of the checker's own fold over the trades in venue order.

    The part that any permutation gives the same is a property test; here the outcome of this run's
    order of arrival is compared with the sorted fold.
    """
    folded = fold([row for row in e.rows.trades if row["owner"] != "external"])
    rows = {lot["lot_id"]: lot for lot in e.rows.lots if lot["owner"] != "external"}
    for lot_id in sorted(rows.keys() | folded.lots.keys()):
        kept, made = rows.get(lot_id), folded.lots.get(lot_id)
        if kept is None or made is None:
            yield f"lot {lot_id} is {'not ' if kept is None else 'only '}in holding_lots"
            continue
        for name, value in made.items():
            if kept[name] != value:
                yield f"lot {lot_id}: {name} {kept[name]}, the fold gives {value}"
    for row in e.rows.trades:
        gain = folded.realised.get(row["exec_id"])
        if gain is not None and gain != row["realised_pnl"]:
            yield f"trade {row['exec_id']}: PnL {row['realised_pnl']}, the fold gives {gain}"


def i_13(e: Evidence) -> Iterator[str]:
    """For each asset balance = opening + ledger - fees with no residual, at the exchange and in the
    rows; what differs is an UNEXPLAINED row.
    """
    sums = dict(e.truth.opening)
    for entry in e.truth.ledger:
        sums[entry.asset] = sums.get(entry.asset, ZERO) + entry.amount - entry.fee
    for asset in sorted({*sums, *e.truth.balances}):
        if sums.get(asset, ZERO) != e.truth.balances.get(asset, ZERO):
            has = e.truth.balances.get(asset, ZERO)
            yield f"{asset}: the exchange has {has}, its ledger gives {sums.get(asset, ZERO)}"
    if not e.facts.quiescent:
        return
    known = {row["asset"]: row["balance"] for row in e.rows.balances}
    told = {row["asset"] for row in e.rows.reconciliations or () if row["state"] == "UNEXPLAINED"}
    for asset in sorted({*known, *e.truth.balances} - told):
        if known.get(asset, ZERO) != e.truth.balances.get(asset, ZERO):
            yield (
                f"{asset}: the exchange has {e.truth.balances.get(asset, ZERO)}, "
                f"kraken_balances {known.get(asset, ZERO)}, and no row says so"
            )
    true = {entry.ledger_id: entry for entry in e.truth.ledger}
    for row in e.rows.ledgers:
        entry = true.get(row["ledger_id"])
        same = entry is not None and (entry.asset, entry.amount, entry.fee, entry.balance) == (
            row["asset"],
            row["amount"],
            row["fee"],
            row["balance"],
        )
        if not same:
            yield f"kraken_ledgers has {row['ledger_id']}, which the exchange does not have so"


def i_14(e: Evidence) -> Iterator[str]:
    """Equity by lots and by raw trades is the same: asset for asset, so at any marks.

    (a) balances as known; (b) opening, what came and went besides trades, and the legs of the
    booked trades with all their fees.
    """
    if not e.facts.quiescent:
        return
    made = dict(e.truth.opening)
    trades = {trade.exec_id for trade in e.truth.trades}
    for entry in e.truth.ledger:
        if entry.ref_id not in trades:
            made[entry.asset] = made.get(entry.asset, ZERO) + entry.amount - entry.fee
    for row in e.rows.trades:
        for asset, change in legs(row).items():
            made[asset] = made.get(asset, ZERO) + change
    known = {row["asset"]: row["balance"] for row in e.rows.balances}
    for asset in sorted({*made, *known}):
        if made.get(asset, ZERO) != known.get(asset, ZERO):
            yield (
                f"{asset}: {known.get(asset, ZERO)} by balances, "
                f"{made.get(asset, ZERO)} by opening and trades"
            )


def legs(row: Row) -> dict[str, Decimal]:
    """What a booked trade changes, asset by asset, fees included."""
    base, quote = row["pair"].split("/")
    sign = 1 if row["side"] == "buy" else -1
    found = {base: sign * row["qty"], quote: -sign * row["cost"]}
    for asset, qty in _fees(row).items():
        found[asset] = found.get(asset, ZERO) - qty
    return found


def _fees(row: Row) -> dict[str, Decimal]:
    """All fees of a booked trade by asset, zeros left out."""
    found: dict[str, Decimal] = {}
    for fee in json.loads(row["fees"]):
        found[fee["asset"]] = found.get(fee["asset"], ZERO) + Decimal(fee["qty"])
    return {asset: qty for asset, qty in found.items() if qty}


def i_15(e: Evidence) -> Iterator[str]:
    """Lots hold what our trades left of each asset; with the rest, which is external, that is the
    balance; none is negative, each begins with a trade.
    """
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    purchases = {row["exec_id"] for row in e.rows.trades if row["side"] == "buy"}
    for lot in e.rows.lots:
        if lot["left_qty"] < ZERO or lot["left_qty"] > lot["qty"]:
            yield f"lot {lot['lot_id']} of {lot['qty']} has {lot['left_qty']} left"
        if lot["opened_exec_id"] not in purchases:
            yield f"lot {lot['lot_id']} begins with {lot['opened_exec_id']}, which is no purchase"
        if lot["owner"] != "external":
            held[lot["base"]] += lot["left_qty"]
    if not e.facts.quiescent:
        return
    ours = _left_of_our_trades(e)
    for asset in sorted({*held, *ours}):
        if held[asset] != ours[asset]:
            yield f"{asset}: lots hold {held[asset]}, our trades at the exchange left {ours[asset]}"


def _left_of_our_trades(e: Evidence) -> dict[str, Decimal]:
    """What our trades left of each base asset, by the exchange's own list.

    Fees in the base asset that a sale of everything leaves no coin of ours for are taken from what
    is not ours: lots end at zero then (seed 107 of the simulation).
    """
    ours: dict[str, Decimal] = defaultdict(lambda: ZERO)
    fees: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for trade in sorted(e.truth.trades, key=lambda trade: trade.trade_id):
        if not e.ours(trade.cl_ord_id):
            continue
        base = trade.pair.split("/")[0]
        fee = trade.fee if trade.fee_asset == base else ZERO
        ours[base] += (trade.qty if trade.side == "buy" else -trade.qty) - fee
        fees[trade.order_id] += fee
        if trade.side == "sell" and -fees[trade.order_id] <= ours[base] < ZERO:
            ours[base] = ZERO
    return ours


def i_17(e: Evidence) -> Iterator[str]:
    """What went out stands on the pair's steps and above its minimums, and no sale exceeds what
    was held. (That rounding never adds value is a property test.)
    """
    pairs = {row["pair"]: row for row in e.rows.pairs}
    for sent in e.wire.orders:
        rules = pairs.get(sent.pair)
        if rules is None:
            continue
        price = sent.limit_price
        if sent.qty % rules["qty_increment"] != 0:
            yield f"order {sent.cl_ord_id}: quantity {sent.qty} is off {rules['qty_increment']}"
        if price is not None and price % rules["price_increment"] != 0:
            yield f"order {sent.cl_ord_id}: price {price} is off {rules['price_increment']}"
        if sent.qty < rules["qty_min"] or (price or ZERO) * sent.qty < rules["cost_min"]:
            yield f"order {sent.cl_ord_id}: {sent.qty} at {price} is below the pair's minimum"


RULES = {
    "I-07": i_07,
    "I-11": i_11,
    "I-12": i_12,
    "I-13": i_13,
    "I-14": i_14,
    "I-15": i_15,
    "I-17": i_17,
}
