-- Where were these words said, all of them in one turn?
-- :words = morning
SELECT session AS session_id, turn, role, text, first_seq
FROM transcript
WHERE to_tsvector('simple', text) @@ plainto_tsquery('simple', :words)
ORDER BY session, ordinal
