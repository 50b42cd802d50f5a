-- Where was a word said? In PostgreSQL the words are joined by AND unless `or` or `-` stands there.
-- :words = morning
SELECT session AS session_id, turn, role, text, first_seq
FROM transcript
WHERE to_tsvector('simple', text) @@ websearch_to_tsquery('simple', :words)
ORDER BY session, ordinal
