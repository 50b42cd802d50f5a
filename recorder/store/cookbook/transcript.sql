-- What was said in a session?
-- :session = last
SELECT turn, role, text, first_ms, final_ms, first_seq
FROM v_transcripts
WHERE session_id = :session
ORDER BY first_ms, ordinal
