-- Where were these words said, all of them in one turn?
-- :words = morning
SELECT session AS session_id, turn, role, transcript.text, first_seq
FROM transcript_search JOIN transcript ON transcript.rowid = transcript_search.rowid
WHERE transcript_search
    MATCH '"' || replace(replace(trim(:words), '"', ''), ' ', '" "') || '"'
ORDER BY session, ordinal
