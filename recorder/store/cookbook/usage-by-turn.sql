-- How many tokens did each turn of a session take?
-- :session = last
SELECT turn, meter, unit, sum(CAST(quantity AS NUMERIC)) AS quantity
FROM usage
WHERE session = :session
GROUP BY turn, meter, unit
ORDER BY turn IS NULL, turn, meter
