"""Tables of the market lane: what was seen of the market, by day, thinned and retired."""

from sqlalchemy import Index, Table

from simple_trader.adapters.store.tables.columns import (
    METADATA,
    count,
    moment,
    observation,
    words,
)

PRICE_HISTORY = Table(
    "price_history",
    METADATA,
    words("pair", "Pair by its v2 name, as BTC/USD."),
    moment("ts", "Moment of the quote: the venue's where it gives one, else market time."),
    observation("last", "Price of the last trade, in quote units."),
    observation("bid", "Best bid, in quote units."),
    observation("ask", "Best ask, in quote units."),
    observation("volume", "Volume of the last 24 hours, in base units."),
    observation("vwap", "Volume-weighted average price of the last 24 hours, in quote units."),
    Index("ix_price_history_pair_ts", "pair", "ts"),
    comment="Quotes as they were seen (WS v2 ticker); a partition for each UTC day.",
    postgresql_partition_by="RANGE (ts)",
)

ORDER_BOOK_METRICS = Table(
    "order_book_metrics",
    METADATA,
    words("pair", "Pair by its v2 name."),
    moment("ts", "Moment of the summary: the venue's where it gives one, else market time."),
    observation("bid", "Best bid, in quote units."),
    observation("ask", "Best ask, in quote units."),
    observation("spread_bps", "Spread in basis points of the mid."),
    observation("imbalance", "(bid qty - ask qty) / sum over the top levels, in [-1, 1]."),
    observation("mid", "Middle of bid and ask, in quote units."),
    observation("vwap_mid", "Middle of the volume-weighted sides, in quote units."),
    count("depth", "Levels a side of the subscription."),
    Index("ix_order_book_metrics_pair_ts", "pair", "ts"),
    comment="Summaries of checksum-verified books (WS v2 book); a partition for each UTC day.",
    postgresql_partition_by="RANGE (ts)",
)
