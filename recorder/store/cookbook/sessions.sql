-- Which sessions are there, and how did each go? Newest first.
SELECT session_id, trial, provider, model, status, started_at,
       round(CAST(duration_s AS NUMERIC), 1) AS duration_s, turns, v2v_p50_ms, errors,
       round(CAST(usd AS NUMERIC), 6) AS usd
FROM v_sessions
ORDER BY started_at DESC, session_id
