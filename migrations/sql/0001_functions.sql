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

CREATE FUNCTION guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'DISPATCHING' AND OLD.state <> 'DISPATCHING' THEN
        RAISE EXCEPTION 'order % is % and never becomes sendable again (I-03)',
            OLD.cl_ord_id, OLD.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state IN ('FILLED', 'VOID') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'order % is % for ever and cannot become % (I-06)',
            OLD.cl_ord_id, OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.cl_ord_id, NEW.pair, NEW.side, NEW.order_type, NEW.qty, NEW.limit_price,
        NEW.params_hash)
       IS DISTINCT FROM
       (OLD.cl_ord_id, OLD.pair, OLD.side, OLD.order_type, OLD.qty, OLD.limit_price,
        OLD.params_hash) THEN
        RAISE EXCEPTION 'order % was approved as it is: its parameters never change',
            OLD.cl_ord_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER pending_trades_guard BEFORE UPDATE ON pending_trades
FOR EACH ROW EXECUTE FUNCTION guard_order();

CREATE TRIGGER pending_trades_kept BEFORE DELETE ON pending_trades
FOR EACH ROW EXECUTE FUNCTION refuse_change();
