-- Profit and loss of the last days with trades, newest first.
SELECT day, quote, trades, volume, fees, realised_pnl
FROM v_pnl_daily
ORDER BY day DESC, quote
LIMIT $1
