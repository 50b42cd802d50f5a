-- How long after the user has stopped does the provider notice?
SELECT provider, trial, count(*) AS turns, min(value_ms) AS min_ms,
       round(CAST(avg(value_ms) AS NUMERIC), 1) AS mean_ms, max(value_ms) AS max_ms
FROM v_latency
WHERE metric = 'eos_delay_ms'
GROUP BY provider, trial
ORDER BY mean_ms DESC, provider, trial
