-- Who spoke how much, and how long was it silent?
SELECT session AS session_id,
       max(value) FILTER (WHERE metric = 'user_speech_ms') AS user_ms,
       max(value) FILTER (WHERE metric = 'agent_speech_ms') AS agent_ms,
       max(value) FILTER (WHERE metric = 'overlap_ms') AS overlap_ms,
       max(value) FILTER (WHERE metric = 'silence_ms') AS silence_ms,
       max(value) FILTER (WHERE metric = 'dead_air_ms') AS dead_air_ms,
       round(CAST(max(value) FILTER (WHERE metric = 'talk_ratio') AS NUMERIC), 3) AS talk_ratio
FROM metric
WHERE turn IS NULL
GROUP BY session
HAVING max(value) FILTER (WHERE metric = 'talk_ratio') IS NOT NULL
ORDER BY talk_ratio DESC, session
