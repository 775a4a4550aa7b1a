-- States of the engine from event $1 to event $2, in order.
SELECT id, seq, why, at FROM engine_snapshots WHERE seq BETWEEN $1 AND $2 ORDER BY seq, id
