-- How far apart are the published definitions of latency?
WITH ranked AS (
    SELECT provider, metric, value_ms,
           row_number() OVER (PARTITION BY provider, metric ORDER BY value_ms) AS place,
           count(*) OVER (PARTITION BY provider, metric) AS size
    FROM v_latency
    WHERE metric IN ('v2v_ms', 'arrival_ms', 'event_ms', 'event_committed_ms', 'event_created_ms',
                     'event_asked_ms', 'first_token_ms', 'first_substantive_ms')
)
SELECT provider, metric, count(*) AS turns,
       min(value_ms) FILTER (WHERE place * 100 >= size * 50) AS p50_ms,
       min(value_ms) FILTER (WHERE place * 100 >= size * 90) AS p90_ms,
       min(value_ms) FILTER (WHERE place * 100 >= size * 99) AS p99_ms,
       max(value_ms) AS max_ms
FROM ranked
GROUP BY provider, metric
ORDER BY provider, p50_ms, metric
