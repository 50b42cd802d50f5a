-- How much of the agent's audio was paid for and never heard?
SELECT session AS session_id, turn, round(CAST(value AS NUMERIC), 3) AS unheard_ratio, first_seq, last_seq
FROM metric
WHERE metric = 'unheard_ratio'
ORDER BY unheard_ratio DESC, session, turn
