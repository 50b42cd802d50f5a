-- How long does the user wait, by model? A percentile is a value that occurs: so many turns do not exceed it.
WITH ranked AS (
    SELECT provider, model, value_ms,
           row_number() OVER (PARTITION BY provider, model ORDER BY value_ms) AS place,
           count(*) OVER (PARTITION BY provider, model) AS size
    FROM v_latency
    WHERE metric = 'v2v_ms'
)
SELECT provider, model, count(*) AS turns,
       min(value_ms) FILTER (WHERE place * 100 >= size * 50) AS p50_ms,
       min(value_ms) FILTER (WHERE place * 100 >= size * 90) AS p90_ms,
       min(value_ms) FILTER (WHERE place * 100 >= size * 99) AS p99_ms,
       max(value_ms) AS max_ms
FROM ranked
GROUP BY provider, model
ORDER BY provider, model NULLS LAST
