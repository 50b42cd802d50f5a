-- Why do sessions end?
SELECT provider, end_reason, count(*) AS sessions,
       round(CAST(avg(duration_s) AS NUMERIC), 1) AS mean_s
FROM v_sessions
WHERE end_reason IS NOT NULL
GROUP BY provider, end_reason
ORDER BY sessions DESC, provider, end_reason
