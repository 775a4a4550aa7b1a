"""The schema, described once: SQLAlchemy Core tables that the migrations are compared with."""

from simple_trader.adapters.store.tables.columns import METADATA
from simple_trader.adapters.store.tables.decisions import (
    AI_DECISIONS,
    AI_SNAPSHOTS,
    LLM_CALLS,
)
from simple_trader.adapters.store.tables.engine import (
    AUDIT_LOG,
    CONFIG_VERSIONS,
    ENGINE_JOURNAL,
    ENGINE_SNAPSHOTS,
    RISK_STATES,
    WORLD,
    WRITER_EPOCH,
)
from simple_trader.adapters.store.tables.history import (
    MARKET_CANDLES,
    MARKET_COVERAGE,
    MARKET_TRADES,
)
from simple_trader.adapters.store.tables.market import ORDER_BOOK_METRICS, PRICE_HISTORY
from simple_trader.adapters.store.tables.marks import (
    COUNTERFACTUALS,
    DECISION_MARKS,
    SHADOW_DECISIONS,
)
from simple_trader.adapters.store.tables.mirrors import (
    KRAKEN_ASSETS,
    KRAKEN_BALANCE_HISTORY,
    KRAKEN_BALANCES,
    KRAKEN_LEDGERS,
    KRAKEN_ORDERS,
    KRAKEN_PAIRS,
    KRAKEN_TRADES,
    RATE_COUNTERS,
    RECONCILIATIONS,
)
from simple_trader.adapters.store.tables.models import (
    MODEL_PREDICTIONS,
    MODEL_SKILLS,
    MODEL_SNAPSHOTS,
)
from simple_trader.adapters.store.tables.orders import (
    EXECUTIONS,
    HOLDING_LOTS,
    PENDING_TRADES,
    TRADES,
)

# Tables that are cut into days, by the column that says which.
PARTITIONED = {"price_history": "ts", "order_book_metrics": "ts", "engine_journal": "at"}

__all__ = [
    "AI_DECISIONS",
    "AI_SNAPSHOTS",
    "AUDIT_LOG",
    "CONFIG_VERSIONS",
    "COUNTERFACTUALS",
    "DECISION_MARKS",
    "ENGINE_JOURNAL",
    "ENGINE_SNAPSHOTS",
    "EXECUTIONS",
    "HOLDING_LOTS",
    "KRAKEN_ASSETS",
    "KRAKEN_BALANCES",
    "KRAKEN_BALANCE_HISTORY",
    "KRAKEN_LEDGERS",
    "KRAKEN_ORDERS",
    "KRAKEN_PAIRS",
    "KRAKEN_TRADES",
    "LLM_CALLS",
    "MARKET_CANDLES",
    "MARKET_COVERAGE",
    "MARKET_TRADES",
    "METADATA",
    "MODEL_PREDICTIONS",
    "MODEL_SKILLS",
    "MODEL_SNAPSHOTS",
    "ORDER_BOOK_METRICS",
    "PARTITIONED",
    "PENDING_TRADES",
    "PRICE_HISTORY",
    "RATE_COUNTERS",
    "RECONCILIATIONS",
    "RISK_STATES",
    "SHADOW_DECISIONS",
    "TRADES",
    "WORLD",
    "WRITER_EPOCH",
]
