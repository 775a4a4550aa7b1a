"""Tables of market history: candles and public trades, and which spans of them are whole."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table

from simple_trader.adapters.store.tables.columns import (
    METADATA,
    count,
    counted,
    moment,
    observation,
    one_of,
    recorded_at,
    words,
)

SOURCES = ("ohlc", "trades", "file")

MARKET_CANDLES = Table(
    "market_candles",
    METADATA,
    words("pair", "Pair by its v2 name.", key=True),
    Column("interval_s", BigInteger, primary_key=True, comment="Length of a candle, in seconds."),
    moment("begin", "First moment of the candle.", key=True),
    observation("open", "First price, in quote units."),
    observation("high", "Highest price, in quote units."),
    observation("low", "Lowest price, in quote units."),
    observation("close", "Last price, in quote units."),
    observation("volume", "Volume, in base units."),
    count("trades", "Trades in it; intervals without any have no row."),
    words("source", "ohlc (REST), trades (made of REST trades) or file (a download of Kraken)."),
    counted("trades"),
    one_of("source", SOURCES),
    comment="Finished candles of history (simple-trader backfill).",
)

MARKET_TRADES = Table(
    "market_trades",
    METADATA,
    words("pair", "Pair by its v2 name."),
    moment("ts", "The exchange's moment."),
    observation("price", "Price, in quote units."),
    observation("qty", "Quantity, in base units."),
    words("side", "buy or sell, of the taker; null where the source does not say.", nullable=True),
    Column("market", Boolean, nullable=True, comment="Whether the taker was a market order."),
    Column("trade_id", BigInteger, nullable=True, comment="Kraken's number of the trade."),
    words("source", "trades (REST) or file (a download of Kraken)."),
    one_of("side", ("buy", "sell")),
    one_of("source", SOURCES),
    Index("ix_market_trades_pair_ts", "pair", "ts"),
    comment="Public trades of history (simple-trader backfill).",
)

MARKET_COVERAGE = Table(
    "market_coverage",
    METADATA,
    words("pair", "Pair by its v2 name.", key=True),
    Column(
        "interval_s",
        BigInteger,
        primary_key=True,
        comment="Length of the candles, in seconds; 0 for trades.",
    ),
    moment("begin", "From here on nothing is missing ...", key=True),
    moment("ends", "... up to here, excluded."),
    recorded_at(),
    comment="Spans in which market_candles or market_trades are whole: no row means no trade.",
)
