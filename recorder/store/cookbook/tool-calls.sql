-- Which calls were made in a session, and what came back?
-- :session = last
SELECT turn, name, arguments, output, called_ms, exec_ms, first_seq, last_seq
FROM v_tools
WHERE session_id = :session
ORDER BY called_ms, first_seq
