-- Which functions are called, how often, and how long do they take?
SELECT name, count(*) AS calls, count(answered_ms) AS answered, sum(failed) AS failed,
       round(CAST(avg(exec_ms) AS NUMERIC), 1) AS mean_ms, max(exec_ms) AS max_ms
FROM v_tools
GROUP BY name
ORDER BY max_ms DESC NULLS LAST, name
