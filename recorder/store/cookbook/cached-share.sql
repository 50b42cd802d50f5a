-- Which share of the input tokens was cached?
SELECT session AS session_id, model, round(CAST(value AS NUMERIC), 3) AS cached_ratio
FROM metric JOIN session ON session.id = metric.session
WHERE metric = 'cached_ratio'
ORDER BY value, session
