"""Risk rules as a table, through the whole brain: the market and account, and what comes of it.

Each line is one cycle in which the advisor wants to trade BTC/USD near 50000 with full confidence:
the side, what differs from a quiet day (`name=value`, several with blanks between) and the outcome:
`buy VALUE`, `sell QTY` or the one reason. Cash is 1000 USD; a purchase wishes for 200 USD.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from brain_desk import (
    BTC,
    ETH,
    T0,
    D,
    Desk,
    advice_text,
    book,
    decisions_of,
    only,
    quote,
    rules,
    say,
    settings,
    started,
)
from brain_reports import report

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.fills import Lot
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.money import floor_to_step
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason

TABLE = """
side | what differs                          | outcome

# a quiet day
buy  |                                       | buy 199.99
sell | held=0.004                            | sell 0.00400000
sell | held=0.006                            | sell 0.00400804
sell |                                       | nothing_to_sell

# the price: at most ten seconds old by the worse of two clocks
buy  | quote_age=9.9                         | buy 199.99
buy  | quote_age=10                          | buy 199.99
buy  | quote_age=10.1                        | price_stale
buy  | venue_age=10.1                        | price_stale
sell | held=0.004 quote_age=10.1             | price_stale

# the spread: at most 50 bps of the middle
buy  | ask=50249                             | buy 199.99
buy  | ask=50251                             | spread_too_wide
buy  | bid=50001 ask=50000                   | price_unreasonable
buy  | bid=50000 ask=50000                   | price_unreasonable
sell | held=0.004 ask=50251                  | spread_too_wide

# the book, where books run
buy  | books=verified                        | buy 199.99
buy  | books=lost                            | book_untrusted

# the exchange and the pair
buy  | venue=maintenance                     | venue_not_online
sell | held=0.004 venue=cancel_only          | venue_not_online
buy  | pair=cancel_only                      | pair_not_online
buy  | pair=reduce_only                      | pair_not_online
sell | held=0.004 pair=reduce_only           | sell 0.00400000
buy  | pair=limit_only                       | buy 199.99
buy  | pair=unknown                          | pair_not_online
buy  | rules=none                            | no_instrument
buy  | fee=none                              | no_instrument
sell | held=0.004 fee=none                   | sell 0.00400000

# the least that is worth an order: minimum 10 USD, the exchange's own minimums
buy  | wish=10.001                           | buy 10
buy  | wish=9.99                             | below_min_value
buy  | wish=12 qty_min=0.0003                | below_min_qty
buy  | wish=12 cost_min=13                   | below_min_cost
sell | held=0.0001                           | below_min_value

# funds: 95 percent of what may be spent, fee included
buy  | cash=100 asset=1 total=1              | buy 94.62
buy  | cash=11 asset=1 total=1               | buy 10.4
buy  | cash=10 asset=1 total=1               | no_funds

# caps: 35 percent in one asset, 80 percent in all, of equity, everything in flight counted
buy  | wish=900                              | buy 348.6
buy  | wish=900 total=0.2                    | buy 199.2
buy  | wish=900 held=0.006                   | buy 49.8
buy  | held=0.0105                           | exposure_asset
buy  | total=0.009                           | exposure_total
sell | held=0.0105 total=0.009               | sell 0.00400804

# one order per pair, side and candle of 15 minutes
buy  | before=buy                            | same_candle
buy  | before=buy later=899                  | same_candle
buy  | before=buy later=900                  | buy 199.99
buy  | before=unknown later=900              | order_unknown

# trading state
buy  | state=halt                            | trading_halted
sell | held=0.004 state=halt                 | trading_halted
buy  | state=private_down                    | private_feed_down
sell | held=0.004 state=private_down         | private_feed_down
buy  | state=unreconciled                    | not_reconciled
buy  | state=store_slow                      | store_slow
sell | held=0.004 state=store_slow           | sell 0.00400000
buy  | state=stopping                        | interrupted

# the daily loss: at five percent of the equity at the begin of the UTC day
buy  | lost=49.99                            | buy 199.99
buy  | lost=50                               | daily_loss
sell | held=0.004 lost=70                    | sell 0.00400000
"""

LINES = [
    line
    for line in TABLE.strip().splitlines()[1:]
    if line.strip() and not line.lstrip().startswith("#")
]


def start(differs: dict[str, str]) -> Desk:
    """A desk on a day that differs from a quiet one as told, with 1000 USD of equity."""
    changed = settings(
        min_confidence=1.0,  # sizes are the whole wish
        base_order=D(differs.get("wish", "200")),
        max_asset_exposure=D(differs.get("asset", "0.35")),
        max_total_exposure=D(differs.get("total", "0.8")),
        enable_order_book_feed="books" in differs,
        stop_loss_percent=D(0),
        take_profit_percent=D(0),
    )
    pair = rules(
        BTC,
        status=PairStatus(differs.get("pair", "online")),
        qty_min=D(differs.get("qty_min", "0.0001")),
        cost_min=D(differs.get("cost_min", "0.5")),
    )
    held = D(differs.get("held", "0"))
    desk = Desk()
    desk.open(
        settings=changed,
        pairs=(rules(ETH),) if differs.get("rules") == "none" else (pair, rules(ETH)),
        fees=() if differs.get("fee") == "none" else started().fees,
        balances={"USD": D(differs.get("cash", "1000")) - held * 50000, "BTC": held},
        lots=() if held == 0 else (lot(held),),
    )
    desk.timer("risk_check")
    return desk


def lot(qty: Decimal) -> Lot:
    """A lot of the AI, bought at 50000."""
    return Lot(
        lot_id="lot-E0",
        owner="ai",
        pair=BTC,
        base="BTC",
        quote="USD",
        opened_exec_id="E0",
        opened_at=T0 - timedelta(hours=1),
        qty=qty,
        left_qty=qty,
        price=D(50000),
        cost=qty * 50000,
    )


def live_through(desk: Desk, differs: dict[str, str]) -> None:
    """What happened earlier: a loss, an order."""
    if "lost" in differs:
        totals = dict(desk.engine.state.balances.totals)
        totals["USD"] -= D(differs["lost"])
        desk.do(e.BalancesSeen(balances=totals, source="rest"))
        desk.timer("risk_check")
    if "before" in differs:
        request = desk.place(confidence=1.0)
        if differs["before"] == "unknown":
            desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="lost"))
        else:
            desk.do(report("canceled", cl_ord_id=request.cl_ord_id, at=desk.at))
        desk.at += timedelta(seconds=float(differs.get("later", "0")))


def see(desk: Desk, differs: dict[str, str]) -> None:
    """The market of the moment."""
    seen_at = desk.at - timedelta(seconds=float(differs.get("quote_age", "0")))
    venue_at = desk.at - timedelta(seconds=float(differs.get("venue_age", "0")))
    bid, ask = differs.get("bid", "49999.5"), differs.get("ask", "50000.5")
    if "ask" in differs and "bid" not in differs:
        bid = "50000"
    desk.do(e.QuoteSeen(quote=quote(BTC, bid, ask, seen_at, min(venue_at, seen_at))))
    if "books" in differs:
        desk.do(e.BookSeen(book=book(BTC, desk.at)))
    if differs.get("books") == "lost":
        desk.do(e.BookLost(pair=BTC, detail="checksum"))
    if "venue" in differs:
        desk.do(e.VenueStatusSeen(status=VenueStatus(differs["venue"])))


STATES: dict[str, e.Event] = {
    "halt": e.OperatorHalt(actor="me", detail=""),
    "private_down": e.FeedDown(feed="private", detail=""),
    "unreconciled": e.FeedUp(feed="private"),
    "store_slow": e.StoreHealth(ok=False, reason=Reason.STORE_SLOW, oldest_age_s=1.0),
    "stopping": e.Stopping(reason=""),
}


def outcome(side: str, differs: dict[str, str]) -> str:
    """What the brain makes of the advice on such a day."""
    desk = start(differs)
    live_through(desk, differs)
    asked = desk.ask()
    see(desk, differs)
    before = desk.do(STATES[differs["state"]]) if "state" in differs else []
    told = before + desk.answer(asked, advice_text(say(BTC, side, 1.0), say(ETH, "hold")))
    row = decisions_of(told)[BTC]
    if row.verdict != "approved":
        return row.reason.value
    request = only(told, a.PlaceOrder).approved.request
    if request.side is Side.SELL:
        return f"sell {request.qty}"
    cost = request.qty * (request.limit_price or D(0))
    return f"buy {format(floor_to_step(cost, D('0.01')).normalize(), 'f')}"


@pytest.mark.parametrize("line", LINES)
def test_each_line_of_the_table_comes_out_as_it_says(line: str) -> None:
    side, differs, expected = (part.strip() for part in line.split("|"))
    assert outcome(side, dict(word.split("=") for word in differs.split())) == expected
