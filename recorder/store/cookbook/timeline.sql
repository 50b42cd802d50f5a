-- What crossed the wire in a session between two moments, in ms?
-- :session = last
-- :from_ms = 0
-- :to_ms = 60000
SELECT seq, at_ms, sender, kind, type
FROM v_events
WHERE session_id = :session AND at_ms BETWEEN CAST(:from_ms AS NUMERIC) AND CAST(:to_ms AS NUMERIC)
ORDER BY seq
