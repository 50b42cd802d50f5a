-- Where was nothing to be read in a session for longest?
-- :session = last
WITH told AS (
    SELECT seq, at_ms, type, at_ms - lag(at_ms) OVER (ORDER BY seq) AS gap_ms
    FROM v_events
    WHERE session_id = :session
)
SELECT seq, at_ms, type, round(CAST(gap_ms AS NUMERIC), 3) AS gap_ms
FROM told
WHERE gap_ms > 0
ORDER BY gap_ms DESC, seq
LIMIT 5
