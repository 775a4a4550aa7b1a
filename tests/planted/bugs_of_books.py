"""Planted bugs of the books: fills, lots, fees, looks at the account, prices."""

from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

import msgspec
from planted.patching import TIGHT, Bug, Make, always, without_check

_CORE = "simple_trader.core"
_RESOLVER = "simple_trader.adapters.kraken.resolver:Resolver"


def _book_twice(book):
    def bug(self, fill):
        book(self, fill)
        return book(self, fill)

    return bug


def _forget_exec(see_exec):
    def bug(self, exec_id):
        return None

    return bug


def _no_fee(fee_in):
    return lambda self, asset: Decimal(0)


def _wrong_side(fold):
    """Sales open lots and purchases close them."""

    def bug(base, fills):
        from simple_trader.domain.orders import Side

        turned = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
        return fold(base, [msgspec.structs.replace(f, side=turned[f.side]) for f in fills])

    return bug


def _newest_first(sold):
    """Last in, first out."""

    def bug(lots, fill):
        lots.reverse()
        try:
            return sold(lots, fill)
        finally:
            lots.reverse()

    return bug


def _arrival_order(book):
    """Fills are folded as they come, not as they happened."""

    def bug(self, fill):
        from simple_trader.core.portfolio import lots

        place = lots._place
        lots._place = lambda one: (0,)
        try:
            return book(self, fill)
        finally:
            lots._place = place

    return bug


def _without(kind: str) -> Make:
    """A reaction that leaves one type of row unwritten."""

    def make(function):
        def bug(*args, **kwargs):
            return [
                action
                for action in function(*args, **kwargs)
                if type(getattr(action, "record", None)).__name__ != kind
            ]

        return bug

    return make


def _public_is_fine(on_feed_down):
    """That the public side is gone holds nothing back."""

    def bug(state, event, at):
        return on_feed_down(state, event, at) if event.feed == "private" else []

    return bug


def _first_fill_only(on_report):
    """A second fill of the same order is taken as a repeat."""

    def bug(state, event, at):
        if event.fill is not None and event.fill.exec_id not in state.seen_execs:
            order = state.orders.find(event.cl_ord_id, event.order_id)
            if order is not None and order.filled_qty > 0:
                return []
        return on_report(state, event, at)

    return bug


def _no_reconcile(on_feed_up):
    """The account counts as reconciled as soon as the stream is there."""

    def bug(state, event, at):
        from simple_trader.core.reactions.standing import restate

        state.health.private_up = state.health.private_up or event.feed == "private"
        state.health.public_up = state.health.public_up or event.feed == "public"
        state.health.reconciled = True
        return restate(state, at)

    return bug


def _reads_no(kind: str) -> Make:
    """A full look that leaves one kind of reading out."""

    def make(reconcile):
        async def bug(self, action):
            found = await reconcile(self, action)
            return [event for event in found if type(event).__name__ != kind]

        return bug

    return make


def _failed_look_is_clean(reconcile):
    async def bug(self, action):
        found = await reconcile(self, action)
        last = found[-1]
        if not last.clean:
            return [*found[:-1], msgspec.structs.replace(last, clean=True)]
        return found

    return bug


def _failed_look_finds_nothing(look):
    """A look that failed is taken as one that found no trace."""

    async def bug(self, action, sent_at):
        found = await look(self, action, sent_at)
        return [
            msgspec.structs.replace(event, error="") if getattr(event, "error", "") else event
            for event in found
        ]

    return bug


def _looks_late(look):
    """A look says that it began when it ended."""

    async def bug(self, action, sent_at):
        found = await look(self, action, sent_at)
        late = self._market_now() + timedelta(seconds=60)
        return [
            msgspec.structs.replace(event, looked_from=late)
            if hasattr(event, "looked_from")
            else event
            for event in found
        ]

    return bug


def _drops_snapshots(on_report):
    """Reports that come in a snapshot are nothing new."""

    def bug(state, event, at):
        return [] if event.snapshot else on_report(state, event, at)

    return bug


def _round_up(floor_to_step):
    def bug(value, step):
        return (value / step).to_integral_value(ROUND_CEILING) * step

    return bug


def _adopts(book_external):
    """Other people's trades are booked for the strategy."""

    def bug(state, fill):
        from simple_trader.core.reactions.booking import lot_rows
        from simple_trader.core.state import AI_OWNER
        from simple_trader.domain.actions import Remember
        from simple_trader.domain.records import TradeRow

        owned = msgspec.structs.replace(fill, owner=AI_OWNER)
        booked = state.lots.book(owned)
        row = TradeRow(fill=owned, realised_pnl=booked.realised)
        return [Remember(record=row), *lot_rows(booked)]

    return bug


BUGS = (
    Bug(
        "no-exec-duplicate-check",
        "an execution told twice is booked twice",
        ((f"{_CORE}.state:EngineState.see_exec", _forget_exec),),
        ("I-07", "I-12", "I-15", "END"),
        plan=((2, "X05 count=9"),),
    ),
    Bug(
        "lot-booked-twice",
        "each fill enters the lots twice",
        ((f"{_CORE}.portfolio.lots:LotBook.book", _book_twice),),
        ("I-12", "I-15"),
    ),
    Bug(
        "fee-forgotten",
        "lots cost what was paid without the fee",
        (("simple_trader.domain.fills:Fill.fee_in", _no_fee),),
        ("I-12", "I-14"),
    ),
    Bug(
        "wrong-side",
        "sales open lots and purchases close them",
        ((f"{_CORE}.portfolio.lots:fold", _wrong_side),),
        ("I-12", "I-15"),
    ),
    Bug(
        "newest-lot-first",
        "sales take the newest lot",
        ((f"{_CORE}.portfolio.lots:_sold", _newest_first),),
        ("I-12",),
    ),
    Bug(
        "fills-as-they-come",
        "fills are folded in the order of arrival",
        ((f"{_CORE}.portfolio.lots:LotBook.book", _arrival_order),),
        ("I-12",),
        plan=((2, "X06 count=9"),),
    ),
    Bug(
        "fills-without-order-row",
        "a fill is booked and its order's row is not",
        ((f"{_CORE}.reactions.on_execution:_fill_order", _without("OrderStateRow")),),
        ("I-07", "I-04"),
    ),
    Bug(
        "one-fill-an-order",
        "a second fill of an order is taken as a repeat",
        ((f"{_CORE}.reactions.on_execution:on_report", _first_fill_only),),
        ("I-11", "I-04", "I-07", "LIVE"),
    ),
    Bug(
        "no-reconcile-after-reconnect",
        "a stream that comes up counts as reconciled, without a look",
        ((f"{_CORE}.reactions.on_life:on_feed_up", _no_reconcile),),
        ("I-11", "I-04", "I-27", "LIVE"),
        plan=((20, "N07 for_s=8"),),
    ),
    Bug(
        "looks-without-trades",
        "a full look at the account reads no trades",
        ((f"{_RESOLVER}.reconcile", _reads_no("ExecutionReport")),),
        ("I-04", "I-07", "I-11", "LIVE"),
        plan=((20, "N07 for_s=8"), *[(22, "X28 how=trade")] * 55),
    ),
    Bug(
        "looks-without-ledger",
        "a full look at the account reads no ledger",
        ((f"{_RESOLVER}.reconcile", _reads_no("LedgerSeen")),),
        ("I-13", "I-14", "LIVE"),
        plan=((20, "N07 for_s=8"), (22, "X28 how=deposit amount=25")),
    ),
    Bug(
        "failed-look-is-clean",
        "a look that failed reconciles the account",
        ((f"{_RESOLVER}.reconcile", _failed_look_is_clean),),
        ("I-11", "I-13", "I-27"),
        plan=((50, "X18 for_s=60 how=rest"), (52, "stop 8")),
    ),
    Bug(
        "failed-look-finds-nothing",
        "a look that failed is taken as one without a trace",
        ((f"{_RESOLVER}.look", _failed_look_finds_nothing),),
        ("I-05",),
        plan=((3, "X10 count=3"), (4, "X18 for_s=150 how=rest")),
    ),
    Bug(
        "look-dated-late",
        "a look is dated a minute later than it began",
        ((f"{_RESOLVER}.look", _looks_late),),
        ("I-05",),
        plan=((3, "X10 count=3"), (3, "X08 for_s=90")),
    ),
    Bug(
        "snapshots-dropped",
        "neither snapshot nor look tells of trades: each alone would do",
        (
            (f"{_CORE}.reactions.on_execution:on_report", _drops_snapshots),
            (f"{_RESOLVER}.reconcile", _reads_no("ExecutionReport")),
        ),
        ("I-11", "I-04", "I-07"),
        plan=((20, "N07 for_s=8"), (22, "X28 how=trade")),
    ),
    Bug(
        "watermark-without-overlap",
        "a look begins six minutes behind what was read instead of two before it",
        ((f"{_CORE}.reactions.asking:OVERLAP", always(timedelta(minutes=-6))),),
        ("I-11", "I-13", "LIVE"),
        plan=((20, "N07 for_s=8"), (22, "X28 how=deposit amount=25")),
    ),
    Bug(
        "quantity-rounded-up",
        "quantities are rounded up to the next step",
        (("simple_trader.domain.money:floor_to_step", _round_up),),
        ("I-18",),
    ),
    Bug(
        "no-candle-guard",
        "several entries go out in one candle",
        (without_check("one_entry_per_candle"), without_check("no_twin")),
        ("I-33",),
    ),
    Bug(
        "no-caps",
        "caps of exposure limit neither size nor order",
        (
            without_check("within_asset_cap"),
            without_check("within_total_cap"),
            (f"{_CORE}.risk.limits:room_for", lambda old: _room),
        ),
        ("I-18",),
        world=TIGHT,
    ),
    Bug(
        "adopts-foreign-trades",
        "other people's trades become lots of the strategy",
        ((f"{_CORE}.reactions.on_execution:_book_external", _adopts),),
        ("I-09", "I-11", "I-15"),
        plan=((10, "X28 how=trade"),),
    ),
    Bug(
        "old-prices",
        "orders are priced with whatever was seen last, the public side there or not",
        (
            without_check("price_fresh"),
            without_check("book_trusted"),
            without_check("priced_now"),
            (f"{_CORE}.reactions.on_life:on_feed_down", _public_is_fine),
        ),
        ("I-21",),
        plan=((40, "N10 for_s=45"),),
    ),
)


def _room(base, exposure, equity, settings):
    """Room for everything."""
    from simple_trader.core.risk.limits import Room

    return Room(Decimal(10) ** 9, Decimal(10) ** 9)
