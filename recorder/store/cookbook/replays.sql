-- How does each replay compare with its tape?
SELECT replayed.session_id, tape.session_id AS tape, tape.turns AS tape_turns, replayed.turns,
       tape.v2v_p50_ms AS tape_v2v_p50_ms, replayed.v2v_p50_ms,
       tape.errors AS tape_errors, replayed.errors
FROM v_sessions AS replayed JOIN v_sessions AS tape ON tape.session_id = replayed.parent
ORDER BY replayed.session_id
