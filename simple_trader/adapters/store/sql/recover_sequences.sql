-- Identity sequences never give a number twice, also after a restore.
SELECT
    setval(
        pg_get_serial_sequence('executions', 'id'),
        greatest((SELECT max(id) FROM executions), (SELECT last_value FROM executions_id_seq), 1)
    ),
    setval(
        pg_get_serial_sequence('kraken_balance_history', 'id'),
        greatest(
            (SELECT max(id) FROM kraken_balance_history),
            (SELECT last_value FROM kraken_balance_history_id_seq),
            1
        )
    ),
    setval(
        pg_get_serial_sequence('engine_snapshots', 'id'),
        greatest(
            (SELECT max(id) FROM engine_snapshots),
            (SELECT last_value FROM engine_snapshots_id_seq),
            1
        )
    ),
    setval(
        pg_get_serial_sequence('audit_log', 'id'),
        greatest((SELECT max(id) FROM audit_log), (SELECT last_value FROM audit_log_id_seq), 1)
    )
