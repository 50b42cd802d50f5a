-- Which sessions were ended by an error, and what was said before?
SELECT v_errors.session_id, v_errors.class, v_errors.code, v_errors.text, v_errors.at_ms,
       v_turns.user_text, v_errors.seq
FROM v_errors LEFT JOIN v_turns
    ON v_turns.session_id = v_errors.session_id AND v_turns.turn = v_errors.turn
WHERE v_errors.is_fatal = 1
ORDER BY v_errors.session_id, v_errors.seq
