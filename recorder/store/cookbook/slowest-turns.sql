-- In which turns did the user wait longest to hear the agent?
SELECT session_id, turn, v2v_ms, event_ms, user_text, agent_text, first_seq, last_seq
FROM v_turns
WHERE v2v_ms IS NOT NULL
ORDER BY v2v_ms DESC, session_id, turn
LIMIT 20
