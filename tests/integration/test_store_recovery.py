"""Recovery: what was written is what a new start reads, and nothing is guessed."""

import hashlib
import zlib
from datetime import timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest
from store_parts import (
    AT,
    PAIR,
    RISK,
    ROOM,
    asked,
    booked,
    decided,
    fill,
    lot,
    moment,
    order,
    prediction,
)
from store_story import BLOB, SKILL, batches, opening, running, story

from simple_trader.adapters.store import training
from simple_trader.adapters.store.journal import GENESIS
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.adapters.store.training import training_rows
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import (
    FeePreference,
    OrderType,
    PriceType,
    SelfTrade,
    Side,
    TimeInForce,
    Trigger,
    TriggerReference,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import (
    IntentRow,
    LedgerRecord,
    LotRow,
    OrderStateRow,
    PairRow,
    PredictionRow,
    TradeRow,
)


async def write(database: str, *parts: tuple[LedgerRecord, ...], boot_seconds: int = 1000) -> None:
    async with running(database, boot_seconds=boot_seconds) as (lane, ticks, recovered):
        for batch in batches(parts, recovered.last_seq):
            lane.put(batch)
        await ticks.reach(batch.seq)
        await lane.close()


async def test_an_empty_database_recovers_to_nothing(database: str) -> None:
    found = await Recovery(database, boot_seconds=1000).recover()
    assert (found.epoch, found.last_seq, found.chain) == (1000, 0, GENESIS)
    assert found.orders == found.lots == found.fills == ()
    assert found.risk == RiskMemory()
    assert found.newest_at is None
    assert found.model is None


async def test_what_was_written_is_recovered_equal(database: str) -> None:
    open_order = order(3, OrderState.OPEN, order_id="O3", detail="resting")
    late = order(4, OrderState.NOT_ACCEPTED, changed_at=moment(4))
    async with running(database) as (lane, ticks, recovered):
        parts = (
            *story(2, recovered.epoch),
            (
                IntentRow(order=order(3), epoch=1, cap_asset=ROOM, cap_total=ROOM),
                IntentRow(order=order(4), epoch=1, cap_asset=ROOM, cap_total=ROOM),
            ),
            (OrderStateRow(order=open_order), OrderStateRow(order=order(4, OrderState.UNKNOWN))),
            (OrderStateRow(order=late),),
            (PredictionRow(prediction=prediction(9)),),
        )
        for batch in batches(parts):
            lane.put(batch)
        await ticks.reach(batch.seq)
        last_seq, chain = lane.last_seq, lane.chain
    found = await Recovery(database, boot_seconds=1000).recover()
    assert (found.epoch, found.last_seq, found.chain) == (1001, last_seq, chain)
    unfilled = tuple(one for one in found.orders if one.state is not OrderState.FILLED)
    assert unfilled == (open_order, late)
    assert found.lots == (lot(1), lot(2))
    assert found.fills == (fill(1), fill(2))
    assert found.seen_exec_ids == ("T1-buy", "T2-buy")
    assert found.balances == {"BTC": "0.02000000"}
    assert found.risk == RISK
    assert found.model == ("m0", hashlib.sha256(BLOB).hexdigest(), BLOB)
    assert found.pending_predictions == (prediction(9),)
    assert (found.last_cycle_at, found.last_trade_at) == (moment(2), moment(2))
    assert found.last_training_at == AT
    assert found.newest_at == moment(last_seq)
    assert (found.realised_pnl, found.fills_booked) == (0, 2)


@pytest.mark.parametrize("state", [OrderState.DISPATCHING, OrderState.SENT])
async def test_an_order_on_its_way_is_unknown_after_a_restart(
    database: str, state: OrderState
) -> None:
    parts: list[tuple[LedgerRecord, ...]] = [
        (IntentRow(order=order(1), epoch=1, cap_asset=ROOM, cap_total=ROOM),)
    ]
    if state is OrderState.SENT:
        parts.append((OrderStateRow(order=order(1, state)),))
    await write(database, *parts)
    (found,) = (await Recovery(database, boot_seconds=1).recover()).orders
    assert (found.state, found.state_reason) == (OrderState.UNKNOWN, Reason.SENT_UNKNOWN)
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT state FROM pending_trades") == "UNKNOWN"
    await connection.close()


async def test_a_trailing_stop_is_recovered_as_it_was_asked_for(database: str) -> None:
    plain = order(1)
    request = msgspec.structs.replace(
        plain.request,
        order_type=OrderType.TRAILING_STOP_LIMIT,
        limit_price=Decimal("0.50"),
        limit_price_type=PriceType.QUOTE,
        trigger=Trigger(
            price=Decimal("1.50"),
            price_type=PriceType.PCT,
            reference=TriggerReference.INDEX,
        ),
        time_in_force=TimeInForce.GTC,
        fee_preference=FeePreference.BASE,
        stp=SelfTrade.CANCEL_BOTH,
    )
    await write(
        database,
        (IntentRow(order=order(1, request=request), epoch=1, cap_asset=ROOM, cap_total=ROOM),),
    )
    (found,) = (await Recovery(database, boot_seconds=1).recover()).orders
    assert found.request == request
    assert msgspec.json.encode(found.request) == msgspec.json.encode(request)  # to the digit


async def test_a_cycle_that_was_cut_off_is_recovered_by_its_snapshots(database: str) -> None:
    await write(database, asked(1), (decided(1),), asked(2))
    (found,) = (await Recovery(database, boot_seconds=1).recover()).undecided
    assert (found.cycle_id, found.pair, found.snapshot_id) == ("c2", "BTC/USD", "s2")
    await write(database, (decided(2, "hold"),))
    assert (await Recovery(database, boot_seconds=1).recover()).undecided == ()


async def test_i_22_ended_orders_are_recovered_for_a_day_and_unsent_ones_not(database: str) -> None:
    """A late fill must find its order; what was sent still counts at the exchange."""
    old = AT - timedelta(days=2)
    ended = [
        order(1, OrderState.NOT_ACCEPTED, changed_at=old),
        order(2, OrderState.CANCELED),
        order(3, OrderState.CANCELED, changed_at=old),
        order(4, OrderState.FILLED, filled_qty=order(4).request.qty),
        order(5, OrderState.VOID),
    ]
    intents = tuple(
        IntentRow(order=order(number), epoch=1, cap_asset=ROOM, cap_total=ROOM)
        for number in range(1, 6)
    )
    in_doubt = OrderStateRow(order=order(1, OrderState.UNKNOWN))
    await write(database, intents, (in_doubt,), tuple(OrderStateRow(order=one) for one in ended))
    assert (await Recovery(database, boot_seconds=1).recover()).orders == (ended[1], ended[3])


async def test_i_02_the_epoch_grows_also_over_a_restored_backup(database: str) -> None:
    assert (await Recovery(database, boot_seconds=100).recover()).epoch == 100
    assert (await Recovery(database, boot_seconds=100).recover()).epoch == 101
    assert (await Recovery(database, boot_seconds=50).recover()).epoch == 102
    # A restored backup forgot epochs; the clock did not.
    assert (await Recovery(database, boot_seconds=5000).recover()).epoch == 5000


async def test_fills_go_back_to_where_nothing_older_was_held(database: str) -> None:
    """Lot 1 is sold after lot 2 was bought: a fold from lot 2 alone would sell the wrong one."""
    closed = lot(1, "0")
    sale = fill(20, Side.SELL)
    await write(
        database,
        (LotRow(lot=closed), TradeRow(fill=fill(1), realised_pnl=Decimal(0))),
        (LotRow(lot=lot(5)), TradeRow(fill=fill(5), realised_pnl=Decimal(0))),
        (TradeRow(fill=sale, realised_pnl=Decimal("0.1")),),
    )
    found = await Recovery(database, boot_seconds=1).recover()
    assert found.lots == (lot(5),)
    assert found.fills == (fill(1), fill(5), sale)


async def test_x26_i_11_trades_whose_fee_may_still_be_told_are_recovered(database: str) -> None:
    """Own ones with all that was held since, others' too; older ones with a fee are done with."""
    unpaid = msgspec.structs.replace(fill(2, Side.SELL), fees=())
    foreign = msgspec.structs.replace(
        fill(4), fees=(), owner="external", origin=None, decision_id=None
    )
    far = msgspec.structs.replace(fill(6), venue_at=moment(6) + timedelta(minutes=30), fees=())
    await write(
        database,
        (LotRow(lot=lot(1, "0")), TradeRow(fill=fill(1), realised_pnl=Decimal(0))),
        (TradeRow(fill=unpaid, realised_pnl=Decimal(0)),),
        (TradeRow(fill=foreign, realised_pnl=Decimal(0)),),
    )
    found = await Recovery(database, boot_seconds=1).recover()
    assert found.fills == (fill(1), unpaid, foreign)
    foreign_pair = msgspec.structs.replace(far, owner="external", origin=None, decision_id=None)
    paid = fill(2, Side.SELL)
    await write(
        database,
        (
            TradeRow(fill=paid, realised_pnl=Decimal(0)),
            TradeRow(fill=fill(4), realised_pnl=Decimal(0)),
            TradeRow(fill=foreign_pair, realised_pnl=Decimal(0)),
        ),
    )
    later = await Recovery(database, boot_seconds=1).recover()
    assert foreign_pair in later.fills
    assert paid not in later.fills


async def test_a_lot_that_a_new_fold_removed_is_kept_and_not_held(database: str) -> None:
    await write(database, (LotRow(lot=lot(1)), LotRow(lot=lot(1), deleted=True)))
    assert (await Recovery(database, boot_seconds=1).recover()).lots == ()
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT deleted FROM holding_lots") is True
    assert await connection.fetch("SELECT * FROM v_open_lots") == []
    await connection.close()


async def test_c08_a_model_with_another_hash_is_passed_over_for_the_last_good(
    database: str,
) -> None:
    await write(database, opening())
    connection = await asyncpg.connect(database)
    await connection.execute(
        "INSERT INTO model_snapshots "
        "(model_id, kind, basis, trained_at, sha256, blob, rows, metrics, at) "
        "VALUES ('m9', 'online', 'm0', $1, repeat('0', 64), 'evil', 1, '{}', $1)",
        AT + timedelta(hours=1),
    )
    await connection.close()
    recovered = await Recovery(database, boot_seconds=1).recover()
    assert recovered.model is not None
    assert recovered.model[0] == recovered.learned.model_id == "m0"


async def test_of_two_models_of_one_moment_the_trained_one_is_used(database: str) -> None:
    await write(database, opening())
    connection = await asyncpg.connect(database)
    await connection.execute(
        "INSERT INTO model_snapshots "
        "(model_id, kind, basis, trained_at, sha256, blob, rows, metrics, at) "
        "SELECT 'z9', 'online', '', trained_at, sha256, blob, 0, '{}', at FROM model_snapshots"
    )
    await connection.close()
    recovered = await Recovery(database, boot_seconds=1).recover()
    assert recovered.learned.model_id == "m0"


async def test_c08_a_model_that_the_learner_cannot_read_is_passed_over_too(database: str) -> None:
    await write(database, opening())
    refusing = Recovery(database, boot_seconds=1, fault_of_model=lambda blob, sha256: "too old")
    recovered = await refusing.recover()
    assert recovered.model is None
    assert recovered.learned.model_id == ""


async def test_what_the_online_model_was_worth_is_recovered(database: str) -> None:
    made = prediction(9)
    await write(database, opening(), asked(9), (PredictionRow(prediction=made),))
    learned = (await Recovery(database, boot_seconds=1).recover()).learned
    assert learned.skills == (SKILL,)
    assert learned.features == {made.snapshot_id: {"rsi_14": 55.5, "sma_50": None}}
    assert learned.last_checkpoint_at == AT


async def test_d11_a_row_changed_by_hand_is_not_guessed_at(database: str) -> None:
    await write(database, (IntentRow(order=order(1), epoch=1, cap_asset=ROOM, cap_total=ROOM),))
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE pending_trades SET reason = 'because I say so'")
    await connection.close()
    with pytest.raises(InvariantBroken, match="no valid Order"):
        await Recovery(database, boot_seconds=1).recover()


async def test_a_journal_that_lost_its_end_refuses(database: str) -> None:
    await write(database, (IntentRow(order=order(1), epoch=1, cap_asset=ROOM, cap_total=ROOM),))
    connection = await asyncpg.connect(database)
    await connection.execute("DELETE FROM engine_journal")
    await connection.close()
    with pytest.raises(InvariantBroken, match="restore a backup"):
        await Recovery(database, boot_seconds=1).recover()


async def test_sequences_go_on_after_the_highest_number(database: str) -> None:
    await write(database, *story(2, 1000))
    connection = await asyncpg.connect(database)
    await connection.execute("SELECT setval('executions_id_seq', 1, false)")
    await write(database, booked(20)[:2], boot_seconds=1)
    assert await connection.fetchval("SELECT count(DISTINCT id) FROM executions") == 3
    await connection.close()


async def test_mirrors_and_snapshots_are_written(database: str) -> None:
    boot = Recovery(database, boot_seconds=1)
    await boot.mirror(opening())
    await boot.mirror((PairRow(rules=PAIR),))
    await boot.snapshot(7, AT, b"state" * 100, "start")
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT price_increment FROM kraken_pairs") == Decimal("0.1")
    row = await connection.fetchrow("SELECT seq, why, state FROM engine_snapshots")
    await connection.close()
    assert row is not None
    assert (row["seq"], row["why"]) == (7, "start")
    assert zlib.decompress(row["state"]) == b"state" * 100


async def test_training_rows_are_those_of_the_span(database: str) -> None:
    await write(database, *story(3, 1000))
    rows = await training_rows(database, moment(1), moment(3))
    assert [row.as_of for row in rows] == [moment(1), moment(2)]
    assert rows[0].mid == Decimal("132.45")
    assert rows[0].features == {"rsi_14": 55.5, "sma_50": None}


async def test_training_takes_the_newest_rows_and_no_more_than_memory_holds(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, *story(5, 1000))
    monkeypatch.setattr(training, "MAX_ROWS", 3)
    monkeypatch.setattr(training, "_ROWS_AT_ONCE", 2)
    rows = await training_rows(database, moment(0), moment(9))
    newest = [row.as_of for row in rows]
    assert len(newest) == 3
    assert newest == sorted(newest)
    monkeypatch.undo()
    assert newest == [row.as_of for row in await training_rows(database, moment(0), moment(9))][-3:]


async def test_d12_a_sequence_behind_its_table_is_mended_at_the_start_and_said(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every identity column there is: a table that is added later is looked after by itself."""
    await write(database, *story(3, 1000))
    boot = Recovery(database, boot_seconds=1)
    await boot.snapshot(1, AT, b"one", "start")
    await boot.snapshot(2, AT, b"two", "start")
    connection = await asyncpg.connect(database)
    owned = await connection.fetch(
        "SELECT c.relname, a.attname, pg_get_serial_sequence(c.relname, a.attname) AS sequence "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE a.attidentity <> '' AND c.relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"] for row in owned} >= {"executions", "audit_log", "engine_snapshots"}
    highest = {}
    for row in owned:
        number = await connection.fetchval(f"SELECT max({row['attname']}) FROM {row['relname']}")
        highest[row["sequence"]] = number
        await connection.execute("SELECT setval($1::text::regclass, 1, false)", row["sequence"])
    caplog.clear()
    await boot.recover()
    said = "\n".join(record.getMessage() for record in caplog.records)
    for row in owned:
        number = highest[row["sequence"]]
        if number is None:
            continue  # an empty table has nothing to collide with
        assert f"{row['relname']}.{row['attname']} stood at 0, now at {number}" in said
        following = await connection.fetchval("SELECT nextval($1::text::regclass)", row["sequence"])
        assert following == number + 1
    caplog.clear()
    await boot.recover()
    assert "sequence" not in caplog.text, "a sequence that is right is left alone"
    await connection.close()
