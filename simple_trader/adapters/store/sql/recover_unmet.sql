-- Trades whose ledger entries and fill do not meet yet, since the opening; not those that a person
-- has answered for since they came. What is left over counts fees, `gross` does not.
-- As v_trade_matching, of few trades: what a whole look had read (but for an hour of lag) a week of
-- market time before the newest one either met since or was told, and a told one is found by name.
WITH bounds AS (
    SELECT
        (SELECT min(o.since) + interval '5 seconds' FROM reconciliations AS o) AS opened,
        (
            SELECT coalesce(max(d.looked_from) - interval '1 hour', '-infinity')
            FROM reconciliations AS d
            WHERE d.looked_from
                <= (SELECT max(n.looked_from) - interval '7 days' FROM reconciliations AS n)
        ) AS decided
),
wanted AS MATERIALIZED (
    SELECT t.exec_id AS ref_id
    FROM trades AS t
    WHERE t.venue_at >= (SELECT b.decided FROM bounds AS b)
    UNION
    SELECT l.ref_id
    FROM kraken_ledgers AS l
    WHERE l.kind = 'trade' AND l.at >= (SELECT b.decided FROM bounds AS b)
    UNION
    SELECT substr(told.subject, length('trade ') + 1)
    FROM (
        SELECT DISTINCT ON (subject) subject, state
        FROM reconciliations
        WHERE subject LIKE 'trade %'
        ORDER BY subject, id DESC
    ) AS told
    WHERE told.state = 'UNEXPLAINED'
),
matched AS (
    SELECT
        w.ref_id,
        m.asset,
        coalesce(m.ledger, 0) - coalesce(m.booked, 0) AS amount,
        coalesce(m.ledger_gross, 0) - coalesce(m.booked_gross, 0) AS gross,
        coalesce(m.owner = 'external', FALSE) AS foreign,
        m.at
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT
            coalesce(e.asset, t.asset) AS asset,
            e.ledger,
            e.ledger_gross,
            t.change AS booked,
            t.gross AS booked_gross,
            t.owner,
            coalesce(e.at, t.venue_at) AS at
        FROM (
            SELECT
                l.asset,
                sum(l.amount - l.fee) AS ledger,
                sum(l.amount) AS ledger_gross,
                min(l.at) AS at
            FROM kraken_ledgers AS l
            WHERE l.ref_id = w.ref_id
              AND l.kind = 'trade'
              AND l.at > (SELECT b.opened FROM bounds AS b)
            GROUP BY l.asset
        ) AS e
        FULL JOIN (
            SELECT g.*
            FROM v_trade_legs AS g
            WHERE g.exec_id = w.ref_id AND g.venue_at > (SELECT b.opened FROM bounds AS b)
            OFFSET 0
        ) AS t ON t.asset = e.asset
    ) AS m
)
SELECT m.ref_id, m.asset, m.amount, m.gross, m.foreign, m.at
FROM matched AS m
LEFT JOIN kraken_assets AS a ON a.asset = m.asset
WHERE CASE WHEN m.foreign THEN m.gross ELSE m.amount END <> 0
  AND abs(CASE WHEN m.foreign THEN m.gross ELSE m.amount END)
      > power(10::numeric, -coalesce(a.precision, 10))
  AND NOT EXISTS (
      SELECT 1
      FROM reconciliations AS r
      WHERE r.asset = m.asset AND r.cause = 'operator' AND r.state = 'explained' AND r.at >= m.at
  )
ORDER BY m.at, m.ref_id, m.asset
