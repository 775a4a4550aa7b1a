"""Events, rows and rules of our client turned into the contract's facts."""

from contract_facts import ZERO, CandleFacts, Fill, Line, OrderRow, PairFacts, Told

from simple_trader.domain import fills, instruments, quotes, records
from simple_trader.domain.events import ExecutionReport


def told_facts(report: ExecutionReport) -> Told:
    return Told(
        kind=report.exec_type,
        status=report.order_status,
        order_id=report.order_id,
        cl_ord_id=report.cl_ord_id,
        pair=report.pair,
        side=report.side.value if report.side else None,
        qty=report.order_qty,
        price=report.limit_price,
        cum_qty=report.cum_qty,
        reason=report.reason,
        fill=None if report.fill is None else fill_facts(report.fill),
        snapshot=report.snapshot,
    )


def fill_facts(fill: fills.Fill) -> Fill:
    return Fill(
        exec_id=fill.exec_id,
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        pair=fill.pair,
        side=fill.side.value,
        price=fill.price,
        qty=fill.qty,
        cost=fill.cost,
        fee=tuple((fee.asset, fee.qty) for fee in fill.fees),
        maker=fill.liquidity == "maker",
        at=fill.venue_at,
    )


def line_facts(entry: fills.LedgerEntry) -> Line:
    names = ("ledger_id", "ref_id", "asset", "amount", "fee", "balance")
    return Line(**{name: getattr(entry, name) for name in names})


def row_facts(row: records.VenueOrderRow) -> OrderRow:
    return OrderRow(
        order_id=row.order_id,
        cl_ord_id=row.cl_ord_id,
        pair=row.pair,
        side=row.side.value,
        kind=row.order_type,
        status=row.status,
        qty=row.qty,
        filled=row.filled_qty,
        cost=row.cost,
        fee=row.fee or ZERO,
        price=row.limit_price,
    )


def pair_facts(rules: instruments.PairRules) -> PairFacts:
    return PairFacts(
        pair=rules.pair,
        status=rules.status.value,
        price_increment=rules.price_increment,
        price_precision=rules.price_precision,
        qty_precision=rules.qty_precision,
        qty_min=rules.qty_min,
        cost_min=rules.cost_min,
    )


def candle_facts(candle: quotes.Candle) -> CandleFacts:
    return CandleFacts(
        begin=candle.begin,
        minutes=candle.interval_s // 60,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        trades=candle.trades,
    )
