"""Tables of the house: its world, writer, risk state, journal, configuration and audit."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Table, column

from simple_trader.adapters.store.tables.columns import (
    METADATA,
    at,
    blob,
    count,
    counted,
    document,
    flag,
    moment,
    money,
    observation,
    one_of,
    recorded_at,
    single_row,
    words,
)

WORLD = Table(
    "world",
    METADATA,
    single_row(),
    words("mode", "sim, paper or live."),
    words("identity", "Fingerprint of the account, or seed and hash of the replay."),
    words("detail", "The same for people."),
    at(),
    recorded_at(),
    one_of("mode", ("sim", "paper", "live")),
    CheckConstraint(column("one"), name="one_row"),
    comment="What this database is about: one database holds one world.",
)

WRITER_EPOCH = Table(
    "writer_epoch",
    METADATA,
    single_row(),
    Column("epoch", BigInteger, nullable=False, comment="Grows with every start of the daemon."),
    Column(
        "last_seq",
        BigInteger,
        nullable=False,
        comment="Number of the last event in the journal; checked in every transaction.",
    ),
    recorded_at(),
    CheckConstraint(column("one"), name="one_row"),
    comment="Who may write: every transaction of the ledger lane checks and moves this row.",
)

RISK_STATES = Table(
    "risk_states",
    METADATA,
    words("name", "Whose state; `account` is the only one.", key=True),
    words("state", "RUN, REDUCE or HALT."),
    document("reasons", "Why, a list of reasons."),
    flag("halted", "HALT is latched until an operator resumes."),
    words("halt_reason", "Why it was halted.", nullable=True),
    words("halt_detail", "The numbers behind it."),
    flag("cancel_due", "Everything is cancelled as soon as the exchange takes cancels again."),
    moment("loss_day", "Midnight UTC of the day the loss limit counts.", nullable=True),
    money("day_start_equity", "Equity when that day began, in USD.", nullable=True),
    moment("day_start_at", "When that equity was taken: flows from then on count.", nullable=True),
    money("net_flows_today", "Deposits less withdrawals of that day, in USD."),
    flag("day_stopped", "The daily loss limit was reached that day."),
    document("candle_guard", "Begin of the candle of the last entry, by pair and side."),
    money(
        "peak_equity",
        "Highest equity since the last resume from a drawdown, in USD.",
        nullable=True,
    ),
    flag("drawdown_stopped", "The drawdown limit was reached; an operator must resume."),
    document("strikes", "Refusals of the exchange in a row and cool-downs, by pair."),
    count("rejects_in_row", "Refusals in a row on all pairs."),
    moment(
        "paused_until",
        "Market time before which no order is made: too many requests.",
        nullable=True,
    ),
    observation("pause_s", "How long that pause is, in seconds."),
    money("equity", "Equity at `at`, in USD.", nullable=True),
    at(),
    recorded_at(),
    counted("rejects_in_row"),
    one_of("state", ("RUN", "REDUCE", "HALT")),
    comment="Trading state and what must survive a restart.",
)

ENGINE_JOURNAL = Table(
    "engine_journal",
    METADATA,
    Column("last_seq", BigInteger, nullable=False, comment="Number of the last event in it."),
    Column("first_seq", BigInteger, nullable=False, comment="Number of the first event in it."),
    moment("at", "Market time of its first event."),
    moment("at_to", "Market time of its last event."),
    count("events", "How many events it holds."),
    Column("epoch", BigInteger, nullable=False, comment="Epoch of the daemon that wrote it."),
    blob("payload", "zlib of the events, each as four bytes of length (big endian) and JSON."),
    blob("prev_hash", "Hash before its first event."),
    blob("hash", "Hash after its last event: h = sha256(h before + event), event by event."),
    recorded_at(),
    Index("uq_engine_journal_last_seq_at", "last_seq", "at", unique=True),
    comment="Every event the engine processed, in order and hash-chained; partitioned by day.",
    postgresql_partition_by="RANGE (at)",
)

ENGINE_SNAPSHOTS = Table(
    "engine_snapshots",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True, comment="Order of writing."),
    Column("seq", BigInteger, nullable=False, comment="Last event the state includes."),
    words("why", "start, midnight, config or many (events since the last)."),
    blob("state", "zlib of the state of the engine (msgspec)."),
    at(),
    recorded_at(),
    counted("seq"),
    Index("ix_engine_snapshots_seq", "seq"),
    comment="States of the engine, to replay from.",
)

CONFIG_VERSIONS = Table(
    "config_versions",
    METADATA,
    words("config_hash", "Hash of config.yaml, templates and tool schemas.", key=True),
    words("source", "The text of the configuration (it holds no secrets)."),
    document("texts", "Templates and tool schemas by name: the prompts can be rendered again."),
    at(),
    recorded_at(),
    comment="The texts behind every config_hash.",
)

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True, comment="Order of writing."),
    words("actor", "Who."),
    words("origin", "From where: cli, file, config, engine."),
    words("action", "start, stop, config, arm, halt, resume, limits or train."),
    words("object", "On what."),
    words("before", "What it was before."),
    words("after", "What it is now."),
    words("result", "What came of it."),
    at(),
    recorded_at(),
    Index("ix_audit_log_at", "at"),
    comment="Who did what; append-only by trigger.",
)
