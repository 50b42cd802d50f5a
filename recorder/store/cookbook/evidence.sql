-- On which events does the latency of a session's turns rest?
-- :session = last
SELECT v_latency.turn, metric, value_ms, v_events.seq, v_events.at_ms, v_events.sender,
       v_events.type
FROM v_latency JOIN v_events
    ON v_events.session_id = v_latency.session_id
    AND v_events.seq IN (v_latency.first_seq, v_latency.last_seq)
WHERE v_latency.session_id = :session AND metric = 'v2v_ms'
ORDER BY v_latency.turn, v_events.seq
