"""Installs what a checker needs to see the past: each version of orders and risk rows, by trigger.

The product keeps the newest version of a row only. These triggers are the checker's own, in a
schema of their own, made in a test's database after its migration; the product does not know them.
"""

import asyncpg

SCHEMA = "checker"

_SQL = """
CREATE SCHEMA IF NOT EXISTS checker;
CREATE TABLE IF NOT EXISTS checker.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    op text NOT NULL,
    cl_ord_id text NOT NULL,
    state text NOT NULL,
    filled_qty numeric NOT NULL,
    order_id text,
    at timestamptz NOT NULL,
    xid bigint NOT NULL DEFAULT txid_current(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS checker.risk (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text NOT NULL,
    reasons jsonb NOT NULL,
    halted boolean NOT NULL,
    day_stopped boolean NOT NULL,
    at timestamptz NOT NULL,
    xid bigint NOT NULL DEFAULT txid_current(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE OR REPLACE FUNCTION checker.keep_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO checker.orders (op, cl_ord_id, state, filled_qty, order_id, at)
    VALUES (TG_OP, NEW.cl_ord_id, NEW.state, NEW.filled_qty, NEW.order_id,
            coalesce(NEW.changed_at, NEW.at));
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION checker.keep_risk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO checker.risk (state, reasons, halted, day_stopped, at)
    VALUES (NEW.state, NEW.reasons, NEW.halted, NEW.day_stopped, NEW.at);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER checker_keeps AFTER INSERT OR UPDATE ON pending_trades
FOR EACH ROW EXECUTE FUNCTION checker.keep_order();
CREATE OR REPLACE TRIGGER checker_keeps AFTER INSERT OR UPDATE ON risk_states
FOR EACH ROW EXECUTE FUNCTION checker.keep_risk();
"""


async def install(dsn: str) -> None:
    """Make the triggers in a migrated database; harmless where they are already."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_SQL)
    finally:
        await connection.close()
