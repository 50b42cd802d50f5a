-- By which definitions and parameters were the values made?
SELECT definition, parameters, count(*) AS times
FROM metric
WHERE metric IN ('v2v_ms', 'event_ms', 'arrival_ms')
GROUP BY definition, parameters
ORDER BY definition, parameters
