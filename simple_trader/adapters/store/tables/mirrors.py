"""Mirrors of the exchange: assets, pairs, balances, orders, trades and ledger as it tells them."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table

from simple_trader.adapters.store.tables.columns import (
    METADATA,
    at,
    count,
    document,
    moment,
    money,
    not_negative,
    observation,
    one_of,
    positive,
    recorded_at,
    words,
)
from simple_trader.domain.orders import Side

_SIDES = tuple(side.value for side in Side)

KRAKEN_ASSETS = Table(
    "kraken_assets",
    METADATA,
    words("asset", "Asset by its v2 name, as BTC.", key=True),
    words("rest_id", "Its name in REST, as XXBT."),
    words("altname", "Its other name in REST."),
    count("precision", "Decimals the exchange books with."),
    count("display_precision", "Decimals the exchange shows."),
    words("status", "Whether it can be deposited and withdrawn."),
    at(),
    recorded_at(),
    comment="Assets (REST Assets).",
)

KRAKEN_PAIRS = Table(
    "kraken_pairs",
    METADATA,
    words("pair", "Pair by its v2 name, as BTC/USD.", key=True),
    words("base", "Base asset."),
    words("quote", "Quote asset."),
    words("rest_id", "Its name in REST, as XXBTZUSD."),
    words("altname", "Its other name in REST."),
    money("price_increment", "Step of prices, in quote units."),
    count("price_precision", "Decimals of prices."),
    money("qty_increment", "Step of quantities, in base units."),
    count("qty_precision", "Decimals of quantities."),
    money("qty_min", "Smallest order, in base units."),
    money("cost_min", "Smallest order, in quote units."),
    count("cost_precision", "Decimals of costs."),
    words("status", "Trading status (protocol section 3.6)."),
    at(),
    recorded_at(),
    positive("price_increment"),
    positive("qty_increment"),
    not_negative("qty_min"),
    not_negative("cost_min"),
    comment="Pairs and their rules (REST AssetPairs, WS v2 instrument).",
)

KRAKEN_BALANCES = Table(
    "kraken_balances",
    METADATA,
    words("asset", "Asset by its v2 name.", key=True),
    money("balance", "Total, holds not subtracted, in units of the asset."),
    words("cause", "What told us last."),
    at(),
    recorded_at(),
    comment="Balances as they stand (WS v2 balances, REST Balance).",
)

KRAKEN_BALANCE_HISTORY = Table(
    "kraken_balance_history",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True, comment="Order of arrival."),
    words("asset", "Asset by its v2 name."),
    money("balance", "Total after the change, in units of the asset."),
    words("cause", "What told us."),
    at(),
    recorded_at(),
    Index("ix_kraken_balance_history_asset_at", "asset", "at"),
    comment="Every balance we were told, in order.",
)

KRAKEN_ORDERS = Table(
    "kraken_orders",
    METADATA,
    words("order_id", "The exchange's order id.", key=True),
    words("cl_ord_id", "Client order id, if it has one.", nullable=True),
    words("pair", "Pair by its v2 name."),
    words("side", "buy or sell, of the base asset."),
    words("order_type", "Kind of order, by the exchange's name."),
    words("status", "pending, open, closed, canceled or expired."),
    money("qty", "Ordered quantity, in base units."),
    money("filled_qty", "Filled so far, in base units."),
    money("cost", "Paid or received so far, without fees, in quote units."),
    money("fee", "Fees so far, in quote units."),
    money("limit_price", "Limit price, in quote units.", nullable=True),
    money("avg_price", "Average price of what is filled, in quote units.", nullable=True),
    moment("opened_at", "When it was opened."),
    moment("closed_at", "When it was closed.", nullable=True),
    words("reason", "The exchange's reason for its end, or empty."),
    at(),
    recorded_at(),
    not_negative("qty"),
    not_negative("filled_qty"),
    one_of("side", _SIDES),
    Index("ix_kraken_orders_cl_ord_id", "cl_ord_id"),
    Index("ix_kraken_orders_opened_at", "opened_at"),
    comment="Orders of the account, ours or not (REST OpenOrders and ClosedOrders, executions).",
)

KRAKEN_TRADES = Table(
    "kraken_trades",
    METADATA,
    words("exec_id", "Id of the trade.", key=True),
    Column("trade_id", BigInteger, nullable=False, comment="The exchange's number of the trade."),
    words("order_id", "The exchange's order id."),
    words("cl_ord_id", "Client order id, if it has one.", nullable=True),
    words("pair", "Pair by its v2 name."),
    words("side", "buy or sell, of the base asset."),
    money("price", "Price, in quote units."),
    money("qty", "Quantity, in base units."),
    money("cost", "Cost, in quote units."),
    document("fees", "All fees: a list of {asset, qty}, qty as exact text."),
    words("liquidity", "maker or taker."),
    moment("venue_at", "The exchange's moment."),
    at(),
    recorded_at(),
    positive("price"),
    positive("qty"),
    one_of("side", _SIDES),
    Index("ix_kraken_trades_venue_at_trade_id", "venue_at", "trade_id"),
    Index("ix_kraken_trades_order_id", "order_id"),
    comment="Trades of the account, ours or not (REST TradesHistory, executions).",
)

KRAKEN_LEDGERS = Table(
    "kraken_ledgers",
    METADATA,
    words("ledger_id", "Id of the entry.", key=True),
    words("ref_id", "What caused it, as an exec_id."),
    words("kind", "trade, deposit, withdrawal and so on."),
    words("asset", "Asset by its v2 name."),
    money("amount", "Change before the fee, in units of the asset."),
    money("fee", "Fee that was taken besides, in units of the asset."),
    money("balance", "Balance after it: old + amount - fee."),
    at(),
    recorded_at(),
    Index("ix_kraken_ledgers_asset_at", "asset", "at"),
    Index("ix_kraken_ledgers_ref_id", "ref_id"),
    comment="The account's ledger; `at` is the exchange's moment (REST Ledgers, WS balances).",
)

RATE_COUNTERS = Table(
    "rate_counters",
    METADATA,
    words("name", "Which counter of the exchange.", key=True),
    observation("value", "Value at that moment."),
    at(),
    recorded_at(),
    comment="Our model of the exchange's rate counters.",
)
