-- How long did the user wait in turns with a call, and how long in others?
SELECT provider, CASE WHEN tool_calls > 0 THEN 'with a call' ELSE 'without' END AS turns,
       count(*) AS number, round(CAST(avg(v2v_ms) AS NUMERIC), 1) AS mean_ms,
       max(v2v_ms) AS max_ms
FROM v_turns
WHERE v2v_ms IS NOT NULL
GROUP BY provider, CASE WHEN tool_calls > 0 THEN 'with a call' ELSE 'without' END
ORDER BY provider, turns
