-- What did each session cost, and each minute of it? NULL where a price is not known.
SELECT session_id, provider, model, round(CAST(usd AS NUMERIC), 6) AS usd,
       round(CAST(usd * 60 / CAST(nullif(duration_s, 0) AS NUMERIC) AS NUMERIC), 6)
           AS usd_per_minute
FROM v_sessions
WHERE turns > 0
ORDER BY usd DESC NULLS LAST, session_id
