-- How long after the user has stopped is the transcript there?
SELECT session_id, turn, value_ms, first_seq, last_seq
FROM v_latency
WHERE metric = 'stt_delay_ms'
ORDER BY value_ms DESC, session_id, turn
