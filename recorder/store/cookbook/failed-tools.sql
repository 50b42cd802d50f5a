-- Which calls failed, or never came to a result?
SELECT session_id, turn, name, arguments, output, failed, first_seq
FROM v_tools
WHERE failed = 1 OR answered_ms IS NULL
ORDER BY session_id, first_seq
