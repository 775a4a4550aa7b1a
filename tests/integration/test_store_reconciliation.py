"""What reconciliation remembers over a restart, and the views that people check the books with."""

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
from brain_desk import BTC, D, Desk
from brain_reports import fill_of, ledger, traded
from order_parts import plain_order
from reconciled_parts import streaming
from store_story import running

from simple_trader.adapters.store.named_sql import named
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.core.portfolio.balances import REST_LAG_S
from simple_trader.core.portfolio.reconcile import Reconciliation
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.ids import client_order_id
from simple_trader.domain.records import BookMetricsRow, PriceRow
from simple_trader.ports import Batch


def traded_and_tampered() -> Desk:
    """Two trades of ours, one of them without its quote entry, a deposit, and 7 USD too few."""
    desk = streaming()
    desk.at += timedelta(minutes=1)
    desk.quotes()
    usd, btc = D(1000), D(0)
    order = desk.place()
    for name, part in (("E1", 3), ("E2", 1)):
        one = fill_of(order, name, desk.at, qty=order.qty / 4 * part, trade_id=part)
        desk.do(traded(one, desk.at))
        btc += one.qty
        usd -= one.cost + one.fee_in("USD")
        shared: dict[str, Any] = {"ref_id": name, "kind": "trade"}
        say = ledger(f"{name}b", "BTC", f"{one.qty}", f"{btc}", desk.at, **shared)
        desk.do(e.LedgerSeen(entry=say))
        paid = ledger(
            f"{name}q",
            "USD",
            f"{-one.cost}",
            f"{usd}",
            desk.at,
            **shared,
            fee=f"{one.fee_in('USD')}",
        )
        if name == "E1":
            desk.do(e.LedgerSeen(entry=paid))
    usd += 500
    desk.at += timedelta(minutes=1)
    desk.do(e.LedgerSeen(entry=ledger("D1", "USD", "500", f"{usd - 7}", desk.at)))
    desk.timer("balances")
    desk.at += timedelta(seconds=REST_LAG_S)
    desk.reconciled()
    return desk


async def written(database: str, desk: Desk) -> None:
    """Commit all that the desk's brain wanted remembered."""
    async with running(database) as (lane, ticks, _):
        for stamped, actions in desk.log:
            rows = tuple(
                action.record
                for action in actions
                if isinstance(action, a.Remember)
                and not isinstance(action.record, PriceRow | BookMetricsRow)
            )
            event = msgspec.json.encode(stamped)
            lane.put(Batch(stamped.seq, stamped.at, event, rows, urgent=True))
        await ticks.reach(desk.seq)


async def test_i_13_reconciliation_goes_on_after_a_restart_where_it_was(database: str) -> None:
    desk = traded_and_tampered()
    state, recon = desk.engine.state, desk.engine.state.recon
    assert sorted(recon.doubts) == ["USD", "trade E2"]
    assert all(doubt.told for doubt in recon.doubts.values())
    await written(database, desk)
    found = (await Recovery(database, boot_seconds=2000).recover()).ledger
    again = Reconciliation()
    again.begin(found, desk.at)
    assert (again.since, again.looked_from) == (recon.since, recon.looked_from)
    assert {name: book.expected for name, book in again.assets.items()} == {
        name: book.expected for name, book in recon.assets.items()
    }
    assert {ref: legs.left for ref, legs in again.trades.items()} == {
        ref: legs.left for ref, legs in recon.trades.items()
    }
    assert sorted(again.doubts) == sorted(recon.doubts)
    assert set(found.seen) == set(state.balances.seen_ledgers)
    totals = state.balances.totals
    assert sorted(again.findings(totals, totals, {}, {}, desk.at)) == ["USD", "trade E2"]


async def test_i_13_p01_an_asset_that_came_after_the_opening_is_known_after_a_kill(
    database: str,
) -> None:
    desk = Desk()
    desk.start()
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.BalancesSeen(balances={"USD": D(1000)}, source="ws"))
    desk.do(e.FeedUp(feed="private"))
    desk.reconciled()
    desk.at += timedelta(minutes=1)
    shared: dict[str, Any] = {"ref_id": "E1", "kind": "trade"}
    for one in (
        ledger("E1b", "BTC", "0.5", "0.5", desk.at, **shared),
        ledger("E1q", "USD", "-50", "949.8", desk.at, **shared, fee="0.2"),
    ):
        desk.do(e.LedgerSeen(entry=one))
    await written(database, desk)  # killed before anything was compared again
    found = (await Recovery(database, boot_seconds=2000).recover()).ledger
    again = Reconciliation()
    again.begin(found, desk.at)
    assert {name: book.expected for name, book in again.assets.items()} == {
        "BTC": D("0.5"),
        "USD": D("949.8"),
    }
    assert again.trades["E1"].left == {"BTC": D("0.5"), "USD": D("-50.2")}
    assert again.trades["E1"].gross == {"BTC": D("0.5"), "USD": D(-50)}


async def test_i_09_x28_a_strangers_name_that_looks_like_ours_holds_nothing_back_after_a_restart(
    database: str,
) -> None:
    """`stop-loss-1` was not made here, whatever it begins with; a name of our form was."""
    desk = Desk()
    desk.start()
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.BalancesSeen(balances={"USD": D(1000)}, source="ws"))
    for number, name in enumerate(("stop-loss-1", "st-1", "st9-X", client_order_id(100, 77)), 1):
        request = plain_order(name=name).request
        one = fill_of(request, f"E{number}", desk.at, order_id=f"O{number}", trade_id=number)
        desk.do(traded(one, desk.at))
    told = desk.engine.state.recon.lost_fills
    assert told == {"E4": "BTC"}
    await written(database, desk)
    assert (await Recovery(database, boot_seconds=2000).recover()).ledger.lost_fills == told


async def test_i_13_i_14_i_15_the_views_show_what_agrees_and_what_does_not(database: str) -> None:
    desk = traded_and_tampered()
    sold = desk.engine.state.lots.lots()[0]
    await written(database, desk)
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT * FROM v_reconciliation ORDER BY asset")
        books = {row["asset"]: row for row in rows}
        unpaid = await connection.fetch("SELECT * FROM v_trade_matching WHERE left_over <> 0")
        (equity,) = await connection.fetch("SELECT * FROM v_equity_two_ways")
    finally:
        await connection.close()
    assert books["BTC"]["residual"] == 0
    assert books["BTC"]["external"] == 0
    assert books["BTC"]["lots"] + books["BTC"]["external"] == books["BTC"]["balance"]
    missing = books["USD"]["residual"]
    assert missing < -7
    assert [(row["ref_id"], row["asset"]) for row in unpaid] == [("E2", "USD")]
    assert missing == -7 - unpaid[0]["left_over"]
    assert equity["trades_qty"] == equity["lots_qty"] > 0
    assert equity["trades_cash"] == equity["lots_cash"]
    assert sold.pair == BTC


async def test_i_13_a_start_looks_at_a_week_of_trades_and_at_older_ones_that_were_told(
    database: str,
) -> None:
    desk = traded_and_tampered()
    await written(database, desk)
    connection = await asyncpg.connect(database)

    async def unmet() -> list[tuple[str, str, D]]:
        rows = await connection.fetch(named("recover_unmet"))
        return [(row["ref_id"], row["asset"], row["amount"]) for row in rows]

    try:
        whole = await connection.fetch(
            "SELECT ref_id, asset, ledger - booked FROM v_trade_matching WHERE left_over <> 0"
        )
        assert [name for name, *_ in whole] == ["E2"]
        assert await unmet() == [tuple(row) for row in whole]
        for days in (1, 30):
            await connection.execute(
                "INSERT INTO reconciliations (at, cause, state, subject, detail, looked_from) "
                "SELECT max(at), 'rest', 'clean', '', '', max(at) + $1 FROM reconciliations",
                timedelta(days=days),
            )
        assert await unmet() == [tuple(row) for row in whole]  # it was told, and is not forgotten
        await connection.execute(
            "INSERT INTO kraken_ledgers (ledger_id, ref_id, at, kind, asset, amount, fee, balance) "
            "SELECT 'L9', 'E9', max(at) + $1, 'trade', 'BTC', 1, 0, 1 FROM kraken_ledgers",
            timedelta(days=2),
        )
        assert [name for name, *_ in await unmet()] == [
            "E2",
            "E9",
        ]  # newer than the last look before that week
        await connection.execute(
            "UPDATE reconciliations SET state = 'clean' WHERE subject = 'trade E2'"
        )
        assert [name for name, *_ in await unmet()] == ["E9"]
    finally:
        await connection.close()
