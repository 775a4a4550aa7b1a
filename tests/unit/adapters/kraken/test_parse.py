"""Parsing: exact digits, aware times, NaN and the naive refused, unknown words made safe."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from kraken_parts import AT, FILLED, NEW, PENDING_NEW, TICKER, TRADE, symbols

from simple_trader.adapters.kraken import parse, wire
from simple_trader.adapters.kraken.parse import KnownOrder, KnownOrders
from simple_trader.domain.fills import Fee
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.orders import Side


def ticker(text: str = TICKER) -> wire.TickerData:
    message = wire.read(text)
    assert isinstance(message, wire.TickerFrame)
    return message.data[0]


# -- quotes and candles ----------------------------------------------------------------------


def test_a_quote_keeps_the_digits_of_the_wire() -> None:
    quote = parse.quote(ticker(), AT)
    assert quote is not None
    assert str(quote.bid_qty) == "0.10000000"
    assert str(quote.volume) == "4216.61829370"
    assert (quote.bid, quote.ask) == (Decimal("65972.8"), Decimal("65972.9"))
    assert quote.venue_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert quote.seen_at == AT


def test_a_quote_without_a_side_is_no_quote() -> None:
    assert parse.quote(ticker(TICKER.replace('"bid":65972.8', '"bid":null')), AT) is None


def test_a_quote_without_a_stamp_has_no_venue_moment() -> None:
    text = TICKER.replace('"timestamp":"2026-03-02T10:00:00.000000Z",', "")
    quote = parse.quote(ticker(text), AT)
    assert quote is not None
    assert quote.venue_at is None


@pytest.mark.parametrize("number", ['"NaN"', '"Infinity"', '"-Infinity"', "1e300", '"sNaN"'])
def test_numbers_that_are_no_money_are_refused(number: str) -> None:
    with pytest.raises(ValueError):
        parse.quote(ticker(TICKER.replace("65972.8", number)), AT)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        parse.quote(ticker(TICKER.replace("00.000000Z", "00.000000")), AT)


def test_a_number_with_positive_exponent_is_written_out() -> None:
    assert str(parse.number(Decimal("1E+3"))) == "1000"


def test_a_candle_has_seconds_and_the_begin_not_the_end() -> None:
    message = wire.read(
        '{"channel":"ohlc","type":"update","timestamp":"2026-03-02T10:02:30.524394914Z","data":[{'
        '"symbol":"ETH/USD","open":3027.80,"high":3027.80,"low":3026.13,"close":3026.13,"trades":9,'
        '"volume":13.31603062,"vwap":3027.01,"interval_begin":"2026-03-02T10:02:00.000000000Z",'
        '"interval":5,"timestamp":"2026-03-02T10:03:00.000000Z"}]}'
    )
    assert isinstance(message, wire.OhlcFrame)
    candle = parse.candle(message.data[0])
    assert candle.begin == datetime(2026, 3, 2, 10, 2, tzinfo=UTC)
    assert candle.interval_s == 300
    assert str(candle.open) == "3027.80"
    assert candle.trades == 9


# -- instruments and states -------------------------------------------------------------------

PAIR = (
    '{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"BTC/USD",'
    '"base":"BTC","quote":"USD","status":"online","qty_precision":8,"qty_increment":1e-08,'
    '"price_precision":1,"cost_precision":5,"marginable":true,"has_index":true,"cost_min":"0.5",'
    '"tick_size":0.1,"price_increment":0.1,"qty_min":5e-05,"ws_display_price_precision":1}]}}'
)


def pair(text: str = PAIR) -> wire.PairData:
    message = wire.read(text)
    assert isinstance(message, wire.InstrumentFrame)
    return wire.read_pair(bytes(message.data.pairs[0]))


def test_exponents_and_text_of_instruments_get_their_precision() -> None:
    rules = parse.pair_rules(pair(), symbols())
    assert f"{rules.qty_min:f}" == "0.00005000"
    assert f"{rules.qty_increment:f}" == "0.00000001"
    assert str(rules.cost_min) == "0.50000"
    assert (rules.rest_id, rules.altname) == ("XXBTZUSD", "XBTUSD")


def test_the_deprecated_tick_size_is_enough() -> None:
    rules = parse.pair_rules(pair(PAIR.replace('"price_increment":0.1,', "")), symbols())
    assert rules.price_increment == Decimal("0.1")


@pytest.mark.parametrize("bad", ["0.0", "-0.1", '"NaN"'])
def test_a_step_must_be_positive(bad: str) -> None:
    with pytest.raises(ValueError):
        parse.pair_rules(
            pair(PAIR.replace('price_increment":0.1', f'price_increment":{bad}')), symbols()
        )


def test_unknown_words_read_as_the_safe_default() -> None:
    rules = parse.pair_rules(pair(PAIR.replace('"online"', '"party"')), symbols())
    assert rules.status is PairStatus.UNKNOWN
    assert parse.venue_status("party") is VenueStatus.UNKNOWN
    assert parse.venue_status("post_only") is VenueStatus.POST_ONLY


# -- executions -----------------------------------------------------------------------------


def report(text: str, known: KnownOrders | None = None) -> Any:
    return parse.execution(text.encode(), known or KnownOrders(), snapshot=False)


def test_a_trade_becomes_a_fill_with_the_fee_as_booked() -> None:
    got = report(TRADE)
    fill = got.fill
    assert (fill.exec_id, fill.trade_id) == ("TGBB7L-HT5LX-J3BZ4A", 62887576)
    assert str(fill.qty) == "0.00500000"
    assert fill.fees == (Fee("USD", Decimal("0.53200")),)
    assert fill.liquidity == "taker"
    assert fill.side is Side.SELL
    assert got.raw == TRADE
    assert got.source == "ws"


def test_events_without_symbol_are_completed_from_the_first_event() -> None:
    known = KnownOrders()
    assert report(PENDING_NEW, known).limit_price == Decimal("26500.0")
    for later in (NEW, FILLED):
        got = report(later, known)
        assert (got.pair, got.side) == ("BTC/USD", Side.SELL)
        assert got.order_qty == Decimal("0.00500000")
        assert got.fill is None


def test_an_event_of_an_order_never_seen_still_comes_through() -> None:
    got = report(NEW)
    assert (got.cl_ord_id, got.pair, got.side) == ("st7-124", None, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"exec_id":"TGBB7L-HT5LX-J3BZ4A",', ""),
        ('"last_qty":0.00500000', '"last_qty":0.00000000'),
        ('"last_price":26599.9', '"last_price":"NaN"'),
        ('"trade_id":62887576,', ""),
        ('"side":"sell"', '"side":"sideways"'),
        ('"symbol":"BTC/USD",', ""),
        (':19.833306Z"', ':19.833306"'),
    ],
)
def test_a_trade_that_is_no_fill_is_an_error_not_a_silence(old: str, new: str) -> None:
    with pytest.raises(ValueError):
        report(TRADE.replace(old, new))


def test_unknown_kinds_of_executions_read_as_unknown() -> None:
    got = report(NEW.replace('"exec_type":"new"', '"exec_type":"jumped"'))
    assert got.exec_type == "unknown"
    assert got.order_status == "new"


def test_what_is_known_of_orders_is_bounded() -> None:
    known = KnownOrders(limit=2)
    for name in ("a", "b", "c"):
        known.learn(name, KnownOrder(cl_ord_id=name))
    assert known.get("a").cl_ord_id is None
    assert known.get("c").cl_ord_id == "c"


# -- balances -------------------------------------------------------------------------------


def balances(text: str) -> list[wire.BalanceData]:
    return msgspec.json.decode(text, type=list[wire.BalanceData])


def test_a_ledger_entry_has_the_v2_name_and_exact_amounts() -> None:
    (entry,) = balances(
        '[{"ledger_id":"LA5","ref_id":"TGB","timestamp":"2026-03-02T10:05:19.833400Z","type":"trade",'
        '"asset":"XXBT","amount":-0.0050000000,"fee":0.0000000000,"balance":1.1950000000}]'
    )
    got = parse.ledger_entry(entry, symbols())
    assert (got.asset, str(got.amount), got.ref_id) == ("BTC", "-0.0050000000", "TGB")


def test_a_ledger_entry_without_amount_is_refused() -> None:
    with pytest.raises(ValueError):
        parse.ledger_entry(balances('[{"asset":"USD","balance":1}]')[0], symbols())


def test_names_of_one_asset_are_added_up() -> None:
    found = parse.totals(
        balances('[{"asset":"BTC","balance":1.5},{"asset":"XBT.F","balance":0.5}]'), symbols()
    )
    assert found == {"BTC": Decimal("2.0")}


@pytest.mark.parametrize("text", ["1E+35", "1E+28", "-9E+40"])
def test_a_number_too_large_for_exact_arithmetic_is_a_value_error(text: str) -> None:
    # decimal.InvalidOperation is no ValueError: it would end the reader, and with it the daemon.
    with pytest.raises(ValueError, match="digits"):
        parse.number(Decimal(text))


def test_a_step_that_cannot_be_written_at_its_precision_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="digits"):
        parse.fixed(Decimal("1" + "0" * 25), 8)
