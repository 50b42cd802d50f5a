-- Does the agent become slower from day to day?
WITH ranked AS (
    SELECT substr(started_at, 1, 10) AS day, v_sessions.provider, value_ms,
           row_number() OVER (PARTITION BY substr(started_at, 1, 10), v_sessions.provider
                              ORDER BY value_ms) AS place,
           count(*) OVER (PARTITION BY substr(started_at, 1, 10), v_sessions.provider) AS size
    FROM v_latency JOIN v_sessions ON v_sessions.session_id = v_latency.session_id
    WHERE metric = 'v2v_ms'
)
SELECT day, provider, count(*) AS turns,
       min(value_ms) FILTER (WHERE place * 100 >= size * 50) AS p50_ms,
       min(value_ms) FILTER (WHERE place * 100 >= size * 90) AS p90_ms,
       min(value_ms) FILTER (WHERE place * 100 >= size * 99) AS p99_ms,
       max(value_ms) AS max_ms
FROM ranked
GROUP BY day, provider
ORDER BY day, provider
