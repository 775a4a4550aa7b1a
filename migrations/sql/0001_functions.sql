-- Daily partitions, the append-only audit log, and what may never happen to an order.

CREATE FUNCTION ensure_day_partition(parent regclass, day date) RETURNS boolean
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    part text := format('%s_p%s', parent, to_char(day, 'YYYYMMDD'));
    low timestamptz := day::timestamptz;
    high timestamptz := (day + 1)::timestamptz;
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(21332, 3);
    -- By a query: name look-ups may still answer from before the wait for the lock.
    IF EXISTS (SELECT 1 FROM day_partitions(parent) AS p WHERE p.day = ensure_day_partition.day) THEN
        RETURN false;
    END IF;
    -- LIKE and ATTACH instead of PARTITION OF: the parent stays readable and writable meanwhile.
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING DEFAULTS INCLUDING COMMENTS)', part, parent);
    EXECUTE format(
        'ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, low, high
    );
    RETURN true;
END $$;

COMMENT ON FUNCTION ensure_day_partition(regclass, date) IS
'Makes the partition of a UTC day unless it is there; true when it was made.';

CREATE FUNCTION day_partitions(parent regclass) RETURNS TABLE (part text, day date)
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, to_date(right(c.relname, 8), 'YYYYMMDD')
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent AND c.relname ~ '_p[0-9]{8}$'
    ORDER BY c.relname
$$;

COMMENT ON FUNCTION day_partitions(regclass) IS 'The daily partitions of a table, oldest first.';

CREATE FUNCTION newest_moment(parent regclass, moment_column name) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found timestamptz;
    one record;
BEGIN
    FOR one IN SELECT p.part FROM day_partitions(parent) AS p ORDER BY p.day DESC LOOP
        EXECUTE format('SELECT max(%I) FROM %I', moment_column, one.part) INTO found;
        IF found IS NOT NULL THEN
            RETURN found;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

COMMENT ON FUNCTION newest_moment(regclass, name) IS
'The newest moment in a table of daily partitions, read from the newest one that has rows.';

CREATE FUNCTION drop_day_partition(parent regclass, day date) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    gone text := format('%s_p%s', parent, to_char(day, 'YYYYMMDD'));
BEGIN
    IF parent::text NOT IN ('price_history', 'order_book_metrics', 'engine_journal') THEN
        RAISE EXCEPTION 'rows of % are never deleted', parent;
    END IF;
    -- Whoever waits for this lock stops the ledger lane behind it: better not today than slowly.
    PERFORM set_config('lock_timeout', '100ms', true);
    EXECUTE format('DROP TABLE %I', gone);
    RETURN gone;
END $$;

COMMENT ON FUNCTION drop_day_partition(regclass, date) IS
'Drops one day of a high-volume table; refuses every other table.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The table of order states (simple_trader/domain/order_states.py): a test compares every cell.
CREATE FUNCTION order_may_become(old text, new text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT old = new OR CASE old
        WHEN 'DISPATCHING' THEN new IN (
            'SENT', 'OPEN', 'PARTIAL', 'FILLED', 'CANCELED',
            'EXPIRED', 'REJECTED', 'VOID', 'UNKNOWN')
        WHEN 'SENT' THEN new IN (
            'OPEN', 'PARTIAL', 'FILLED', 'CANCELED',
            'EXPIRED', 'REJECTED', 'UNKNOWN')
        WHEN 'OPEN' THEN new IN (
            'AMENDING', 'PARTIAL', 'PENDING_CANCEL', 'FILLED',
            'CANCELED', 'EXPIRED', 'REJECTED')
        WHEN 'AMENDING' THEN new IN (
            'OPEN', 'PARTIAL', 'PENDING_CANCEL', 'FILLED',
            'CANCELED', 'EXPIRED')
        WHEN 'PARTIAL' THEN new IN ('AMENDING', 'PENDING_CANCEL', 'FILLED', 'CANCELED', 'EXPIRED')
        WHEN 'PENDING_CANCEL' THEN new IN (
            'OPEN', 'PARTIAL', 'FILLED', 'CANCELED',
            'EXPIRED', 'REJECTED')
        WHEN 'CANCELED' THEN new IN ('FILLED')
        WHEN 'EXPIRED' THEN new IN ('FILLED')
        WHEN 'REJECTED' THEN new IN ('OPEN', 'PARTIAL', 'FILLED', 'CANCELED', 'EXPIRED')
        WHEN 'UNKNOWN' THEN new IN (
            'OPEN', 'PARTIAL', 'FILLED', 'CANCELED',
            'EXPIRED', 'REJECTED', 'NOT_ACCEPTED')
        WHEN 'NOT_ACCEPTED' THEN new IN (
            'OPEN', 'PARTIAL', 'FILLED', 'CANCELED',
            'EXPIRED', 'REJECTED')
        ELSE false
    END
$$;

COMMENT ON FUNCTION order_may_become(text, text) IS
'Whether an order may go from one state to another (I-03, I-06).';

CREATE FUNCTION guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'DISPATCHING' AND OLD.state <> 'DISPATCHING' THEN
        RAISE EXCEPTION 'order % is % and never becomes sendable again (I-03)',
            OLD.cl_ord_id, OLD.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT order_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'order % is % and cannot become % (I-06)',
            OLD.cl_ord_id, OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.filled_qty < OLD.filled_qty THEN
        RAISE EXCEPTION 'order % has % filled: fills are never taken back (I-07)',
            OLD.cl_ord_id, OLD.filled_qty USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.cl_ord_id, NEW.pair, NEW.side, NEW.order_type, NEW.qty, NEW.limit_price,
        NEW.params_hash, NEW.deadline, NEW.epoch)
       IS DISTINCT FROM
       (OLD.cl_ord_id, OLD.pair, OLD.side, OLD.order_type, OLD.qty, OLD.limit_price,
        OLD.params_hash, OLD.deadline, OLD.epoch) THEN
        RAISE EXCEPTION 'order % was approved as it is: its parameters never change',
            OLD.cl_ord_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER pending_trades_guard BEFORE UPDATE ON pending_trades
FOR EACH ROW EXECUTE FUNCTION guard_order();

CREATE TRIGGER pending_trades_kept BEFORE DELETE ON pending_trades
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The caps of exposure, held by the database too (I-19). A new purchase says what all purchases on
-- their way may reserve; the sum is of the rows as they stand, whoever wrote them. The lock lets no
-- second transaction add up beside this one.
CREATE FUNCTION reserve_capital() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sum_total numeric;
    sum_asset numeric;
BEGIN
    IF NEW.reserved <= 0 THEN
        RAISE EXCEPTION 'purchase % reserves nothing (I-19)', NEW.cl_ord_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('reserve_capital'));
    SELECT
        coalesce(sum(p.left_reserved), 0),
        coalesce(sum(p.left_reserved) FILTER (
            WHERE split_part(p.pair, '/', 1) = split_part(NEW.pair, '/', 1)), 0)
    INTO sum_total, sum_asset
    FROM (
        SELECT o.pair, o.reserved * greatest(coalesce(o.amended_qty, o.qty) - o.filled_qty, 0) / o.qty
            AS left_reserved
        FROM pending_trades AS o
        WHERE o.side = 'buy' AND o.state IN (
            'DISPATCHING', 'SENT', 'OPEN', 'AMENDING', 'PARTIAL', 'PENDING_CANCEL', 'UNKNOWN')
    ) AS p;
    -- A millionth of a dollar for the rounding of quotients.
    IF sum_total + NEW.reserved > NEW.cap_total + 0.000001 THEN
        RAISE EXCEPTION 'purchase % would reserve %, with % before it, of % in all (I-19)',
            NEW.cl_ord_id, NEW.reserved, sum_total, NEW.cap_total
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF sum_asset + NEW.reserved > NEW.cap_asset + 0.000001 THEN
        RAISE EXCEPTION 'purchase % would reserve %, with % before it, of % in its asset (I-19)',
            NEW.cl_ord_id, NEW.reserved, sum_asset, NEW.cap_asset
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

COMMENT ON FUNCTION reserve_capital() IS
'Refuses a purchase that would reserve more than its caps leave beside those on their way (I-19).';

CREATE TRIGGER pending_trades_reserve BEFORE INSERT ON pending_trades
FOR EACH ROW WHEN (NEW.side = 'buy' AND NEW.state = 'DISPATCHING') EXECUTE FUNCTION reserve_capital();

CREATE TRIGGER pending_trades_reserved BEFORE UPDATE ON pending_trades
FOR EACH ROW WHEN (
    (NEW.notional, NEW.reserved, NEW.cap_asset, NEW.cap_total)
    IS DISTINCT FROM (OLD.notional, OLD.reserved, OLD.cap_asset, OLD.cap_total)
) EXECUTE FUNCTION refuse_change();
