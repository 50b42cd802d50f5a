-- What share of the turns of each trial took longer than a limit, in ms?
-- :limit_ms = 1000
SELECT trial, provider, count(*) AS turns,
       count(*) FILTER (WHERE value_ms > CAST(:limit_ms AS NUMERIC)) AS late,
       round(count(*) FILTER (WHERE value_ms > CAST(:limit_ms AS NUMERIC)) * 1.0 / count(*), 3)
           AS share
FROM v_latency
WHERE metric = 'v2v_ms'
GROUP BY trial, provider
ORDER BY share DESC, trial, provider
