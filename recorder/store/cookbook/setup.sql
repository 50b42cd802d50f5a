-- How long does it take until a session can be talked to?
SELECT provider, metric, count(*) AS sessions, min(value_ms) AS min_ms,
       round(CAST(avg(value_ms) AS NUMERIC), 1) AS mean_ms, max(value_ms) AS max_ms
FROM v_latency
WHERE metric LIKE 'setup%'
GROUP BY provider, metric
ORDER BY provider, metric
