"""Channels of the public session one by one: trades, candles, metadata, status, refusals, time."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from kraken_parts import AT, STATUS, TICKER, SetClock, ack, refusal, symbols

from simple_trader.adapters.kraken.frame_counts import FrameCounts
from simple_trader.adapters.kraken.order_books import DEPTHS, Throttle
from simple_trader.adapters.kraken.public_session import INTERVALS, PublicPlan, PublicSession
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.trade_tape import TradeTape
from simple_trader.domain.events import (
    CandleSeen,
    Event,
    InstrumentSeen,
    QuoteSeen,
    VenueAnnounced,
    VenueStatusSeen,
    VenueWarned,
)
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.moments import to_rfc3339
from simple_trader.domain.orders import Side

PLAN = PublicPlan(pairs=("BTC/USD", "DOGE/USD"), trades=True, books=False, candle_minutes=(1, 60))
PAIR = (
    '{"symbol":"%s","base":"BTC","quote":"USD","status":"online","qty_precision":8,'
    '"qty_increment":1e-08,"price_precision":1,"cost_precision":5,"cost_min":"0.5",'
    '"price_increment":0.5,"qty_min":5e-05}'
)


class Told:
    """A session with what came out of it."""

    def __init__(
        self, plan: PublicPlan = PLAN, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.trades: list[PublicTrade] = []
        self.tape = TradeTape()
        self.counts = FrameCounts()
        self.clock, self.plan = clock, plan
        self.session = self.connect()

    def connect(self) -> PublicSession:
        """A connection; the tape remembers the one before."""
        self.session = PublicSession(
            Timing(),
            0.0,
            plan=self.plan,
            symbols=symbols(),
            market_now=self.clock or (lambda: AT),
            throttle=Throttle(1.0),
            tape=self.tape,
            on_trades=self.trades.extend,
            counts=self.counts,
            clock=self.clock,
        )
        return self.session

    def asked(self) -> list[dict[str, Any]]:
        """What it sent."""
        return [json.loads(text) for text in self.session.take_outgoing(1e6)]

    def hear(self, *frames: str, now: float = 0.1) -> list[Event]:
        """What follows from frames."""
        for frame in frames:
            self.session.receive(frame, now)
        return self.session.take_events()


def trades(kind: str, *numbers: int, pair: str = "BTC/USD") -> str:
    data = ",".join(
        f'{{"symbol":"{pair}","side":"sell","price":68500.0,"qty":0.01044926,"ord_type":"market",'
        f'"trade_id":{number},"timestamp":"2026-03-02T10:00:02.798009Z"}}'
        for number in numbers
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{data}]}}'


def candle(minutes: int, pair: str = "BTC/USD") -> str:
    return (
        '{"channel":"ohlc","type":"update","timestamp":"2026-03-02T10:02:30.524394914Z","data":[{'
        f'"symbol":"{pair}","open":3027.80,"high":3027.80,"low":3026.13,"close":3026.13,"trades":9,'
        '"volume":13.3,"vwap":3027.01,"interval_begin":"2026-03-02T10:00:00.000000000Z",'
        f'"interval":{minutes}}}]}}'
    )


# -- trades ---------------------------------------------------------------------------------


def test_trades_are_asked_for_with_a_snapshot_and_only_where_planned() -> None:
    asked = {m["params"]["channel"]: m["params"] for m in Told().asked()}
    assert asked["trade"] == {
        "channel": "trade",
        "symbol": ["BTC/USD", "DOGE/USD"],
        "snapshot": True,
    }
    without = PublicPlan(pairs=("BTC/USD",), books=False)
    assert "trade" not in {m["params"]["channel"] for m in Told(without).asked()}


def test_trades_are_given_once_over_a_reconnect_and_a_hole_is_told() -> None:
    told = Told()
    told.hear(trades("snapshot", 1, 2, 3), trades("update", 4))
    told.connect()
    events = told.hear(trades("snapshot", 3, 4, 7))
    assert [trade.trade_id for trade in told.trades] == [1, 2, 3, 4, 7]
    (warned,) = events
    assert isinstance(warned, VenueWarned)
    assert warned.kind == "trade_hole"
    assert "5 to 6" in warned.detail
    assert told.counts.counts() == {"public.trade_hole": 1}


def test_a_trade_keeps_the_digits_of_the_wire_and_the_taker() -> None:
    told = Told()
    told.hear(trades("update", 70635299))
    (trade,) = told.trades
    assert (str(trade.price), str(trade.qty)) == ("68500.0", "0.01044926")
    assert (trade.side, trade.market) == (Side.SELL, True)


def test_one_bad_trade_costs_its_whole_message_and_no_more() -> None:
    told = Told()
    told.hear(trades("update", 5).replace("68500.0", '"NaN"'), trades("update", 6))
    assert [trade.trade_id for trade in told.trades] == [6]
    assert told.counts.counts() == {"public.wrong_value": 1}


# -- candles --------------------------------------------------------------------------------


def test_each_interval_is_a_subscription_and_candles_go_by_interval() -> None:
    told = Told()
    intervals = [m["params"]["interval"] for m in told.asked() if m["params"]["channel"] == "ohlc"]
    assert intervals == [1, 60]
    events = told.hear(candle(1), candle(60), candle(5), candle(60, "SOL/USD"))
    spans = [event.candle.interval_s for event in events if isinstance(event, CandleSeen)]
    assert spans == [60, 3600]


def test_every_documented_interval_and_depth_can_be_asked_for() -> None:
    for minutes in INTERVALS:
        plan = PublicPlan(pairs=("BTC/USD",), books=False, candle_minutes=(minutes,))
        asked = [m["params"] for m in Told(plan).asked()]
        assert minutes in [params.get("interval") for params in asked]
    for depth in DEPTHS:
        plan = PublicPlan(pairs=("BTC/USD",), quotes=False, book_depth=depth)
        assert depth in [m["params"].get("depth") for m in Told(plan).asked()]


def test_a_refused_interval_leaves_the_other() -> None:
    told = Told()
    (minute, hour) = [m for m in told.asked() if m["params"]["channel"] == "ohlc"]
    error = "Subscription ohlc interval not supported"
    events = told.hear(
        refusal(minute["req_id"], error, "BTC/USD"), ack("ohlc", hour["req_id"], "BTC/USD")
    )
    assert told.session.refused == {("ohlc:1", "BTC/USD"): error}
    assert [(e.kind, e.feed) for e in events if isinstance(e, VenueWarned)] == [
        ("refused_subscription", "public")
    ]


# -- quotes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bid", "ask"), [("65972.9", "65972.8"), ("65972.8", "65972.8"), ("-1", "65972.9")]
)
def test_a_crossed_locked_or_negative_quote_is_no_quote(bid: str, ask: str) -> None:
    told = Told()
    frame = TICKER.replace('"bid":65972.8', f'"bid":{bid}').replace('"ask":65972.9', f'"ask":{ask}')
    assert told.hear(frame) == []
    assert told.counts.counts() == {"public.wrong_value": 1}


def test_a_side_without_a_price_is_no_quote_and_no_error() -> None:
    told = Told()
    assert told.hear(TICKER.replace('"bid":65972.8', '"bid":0.0')) == []
    assert told.counts.counts() == {}


def test_on_a_late_connection_a_quote_is_as_old_as_its_data() -> None:
    clock = SetClock()
    told = Told(PublicPlan(pairs=("BTC/USD",), books=False), clock.now)
    stamp = to_rfc3339(clock.now() - timedelta(seconds=26), digits=6)
    late = TICKER.replace('"snapshot"', '"update"').replace("2026-03-02T10:00:00.000000Z", stamp)
    first, second = [e for e in told.hear(late, late) if isinstance(e, QuoteSeen)]
    assert first.quote.seen_at == clock.now()
    assert (clock.now() - second.quote.seen_at).total_seconds() == pytest.approx(26)
    told.session.tick(0.5)
    (warned,) = told.session.take_events()
    assert isinstance(warned, VenueWarned)
    assert (warned.kind, warned.over) == ("late", False)
    assert told.session.lateness_s() == pytest.approx(26)


# -- metadata -------------------------------------------------------------------------------


def instrument(*pairs: str, kind: str = "update") -> str:
    return (
        f'{{"channel":"instrument","type":"{kind}","data":{{"assets":[],"pairs":['
        + ",".join(pairs)
        + "]}}"
    )


def test_one_pair_without_its_metadata_is_refused_and_the_others_are_not() -> None:
    told = Told()
    broken = (PAIR % "DOGE/USD").replace('"qty_min":5e-05', '"qty":1')
    events = told.hear(instrument(broken, PAIR % "BTC/USD", kind="snapshot"))
    seen = {e.rules.pair: e.rules.status for e in events if isinstance(e, InstrumentSeen)}
    assert seen == {"DOGE/USD": PairStatus.UNKNOWN, "BTC/USD": PairStatus.ONLINE}
    assert told.counts.counts() == {"public.wrong_shape": 1}


def test_a_pair_that_the_reference_data_does_not_list_any_more_is_refused() -> None:
    told = Told()
    events = told.hear(instrument(PAIR % "BTC/USD", kind="snapshot"))
    seen = {e.rules.pair: e.rules.status for e in events if isinstance(e, InstrumentSeen)}
    assert seen == {"DOGE/USD": PairStatus.UNKNOWN, "BTC/USD": PairStatus.ONLINE}
    assert told.counts.counts() == {"public.unlisted_pair": 1}
    (back,) = told.hear(instrument(PAIR % "DOGE/USD"))
    assert isinstance(back, InstrumentSeen)
    assert back.rules.status is PairStatus.ONLINE


def test_a_change_of_one_pair_says_nothing_of_the_others() -> None:
    (seen,) = Told().hear(instrument(PAIR % "BTC/USD"))
    assert isinstance(seen, InstrumentSeen)
    assert seen.rules.pair == "BTC/USD"


@pytest.mark.parametrize(
    "change",
    [
        ('"price_increment":0.5', '"price_increment":0'),
        ('"qty_precision":8', '"qty_precision":1000000000'),
        ('"qty_min":5e-05', '"qty_min":-1'),
        ('"cost_min":"0.5"', '"cost_min":"Infinity"'),
    ],
)
def test_metadata_that_makes_no_sense_refuses_the_pair(change: tuple[str, str]) -> None:
    told = Told()
    (seen,) = told.hear(instrument((PAIR % "BTC/USD").replace(*change)))
    assert isinstance(seen, InstrumentSeen)
    assert seen.rules.status is PairStatus.UNKNOWN
    assert told.counts.counts() == {"public.wrong_value": 1}


def test_the_price_step_is_the_increment_and_not_the_precision() -> None:
    (seen,) = Told().hear(instrument(PAIR % "BTC/USD"))
    assert isinstance(seen, InstrumentSeen)
    assert (seen.rules.price_increment, seen.rules.price_precision) == (Decimal("0.5"), 1)


def test_metadata_of_more_than_a_mebibyte_is_read() -> None:
    frame = instrument(*[PAIR % f"A{number}/USD" for number in range(6000)], PAIR % "BTC/USD")
    assert len(frame) > 1024 * 1024
    (seen,) = Told().hear(frame)
    assert isinstance(seen, InstrumentSeen)
    assert seen.rules.pair == "BTC/USD"


# -- status ---------------------------------------------------------------------------------


def status(data: str, kind: str = "update") -> str:
    return f'{{"channel":"status","type":"{kind}","data":{data}}}'


@pytest.mark.parametrize(
    "frame",
    [
        status('[{"upcoming_maintenance":{"in":"30m","action":"cancel orders"}}]'),
        status('{"event":"upcoming_maintenance","phase":"30m"}'),
        status('[{"system":"upcoming_maintenance","phase":"30m"}]'),
        status('[{"phase":"30m"}]', "upcoming_maintenance"),
    ],
)
def test_an_announcement_in_any_shape_is_told_and_changes_no_state(frame: str) -> None:
    announced, warned = Told().hear(frame)
    assert isinstance(warned, VenueWarned)
    assert warned.kind == "upcoming_maintenance"
    assert "30m" in warned.detail
    assert isinstance(announced, VenueAnnounced)


def test_an_emergency_as_a_state_is_told_and_nothing_is_traded_in_it() -> None:
    announced, seen, warned = Told().hear(status('[{"system":"emergency"}]'))
    assert isinstance(announced, VenueAnnounced)
    assert announced.action == "stop"
    assert isinstance(seen, VenueStatusSeen)
    assert seen.status is VenueStatus.UNKNOWN
    assert isinstance(warned, VenueWarned)
    assert warned.kind == "emergency"


def test_an_unknown_state_is_unknown_and_counted() -> None:
    told = Told()
    (seen,) = told.hear(STATUS.replace('"online"', '"party"'))
    assert isinstance(seen, VenueStatusSeen)
    assert seen.status is VenueStatus.UNKNOWN
    assert told.counts.counts() == {"public.unknown_word": 1}


# -- what we say ----------------------------------------------------------------------------


def test_a_complaint_about_our_pace_slows_us_down_and_is_told() -> None:
    told = Told()
    (warned,) = told.hear('{"Error":"Exceeded msg rate"}')
    assert isinstance(warned, VenueWarned)
    assert warned.kind == "msg_rate"
    assert told.session.pace.slowed
    assert told.counts.counts() == {"public.msg_rate": 1}
    assert told.session.ended is None


def test_hundreds_of_pairs_are_asked_for_at_a_measured_pace() -> None:
    plan = PublicPlan(pairs=tuple(f"A{number}/USD" for number in range(700)), trades=True)
    told = Told(plan)
    sent: list[float] = []
    methods: list[str] = []
    for tick in range(40):
        now = tick / 2
        told.session.receive(STATUS, now)
        told.session.tick(now)
        for text in told.session.take_outgoing(now):
            sent.append(now)
            message = json.loads(text)
            methods.append(message["method"])
            params = message.get("params", {"channel": "", "symbol": []})  # a ping has none
            for symbol in params.get("symbol", [None]):
                told.session.receive(ack(params["channel"], message["req_id"], symbol), now)
    for at in sent:
        assert sum(at <= other < at + 1.0 for other in sent) <= 10
    # What waits for its turn is not asked for twice.
    assert methods.count("subscribe") == 1 + 4 * 14
    assert told.session.ended is None
