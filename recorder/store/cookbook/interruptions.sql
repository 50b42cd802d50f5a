-- Where was the agent cut off, and how much of what it had said was heard?
SELECT v_interruptions.session_id, v_interruptions.turn, cut_off_by, detected_ms, heard_ms,
       agent_text, v_interruptions.first_seq
FROM v_interruptions JOIN v_turns
    ON v_turns.session_id = v_interruptions.session_id AND v_turns.turn = v_interruptions.turn
ORDER BY v_interruptions.session_id, detected_ms
