-- Where was a word said? In SQLite the words may be joined by AND, OR, NOT and NEAR.
-- :words = morning
SELECT session AS session_id, turn, role, transcript.text, first_seq
FROM transcript_search JOIN transcript ON transcript.rowid = transcript_search.rowid
WHERE transcript_search MATCH :words
ORDER BY session, ordinal
