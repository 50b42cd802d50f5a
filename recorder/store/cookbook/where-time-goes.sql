-- Of which parts is the wait made, where the provider tells?
SELECT session_id, turn, metric, value_ms
FROM v_latency
WHERE metric LIKE 'vendor%'
ORDER BY session_id, turn, value_ms DESC, metric
