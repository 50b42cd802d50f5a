-- Which sessions have turns that were answered late or not at all?
SELECT session AS session_id,
       max(value) FILTER (WHERE metric = 'turns_answered') AS answered,
       max(value) FILTER (WHERE metric = 'turns_late') AS late,
       max(value) FILTER (WHERE metric = 'turns_missed') AS missed,
       max(value) FILTER (WHERE metric = 'response_rate') AS response_rate
FROM metric
WHERE metric IN ('turns_answered', 'turns_late', 'turns_missed', 'response_rate')
GROUP BY session
ORDER BY response_rate NULLS LAST, session
