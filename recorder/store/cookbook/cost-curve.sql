-- How does the bill of a session grow from turn to turn? NULL from where a price is not known.
-- :session = last
WITH bill AS (
    SELECT turn, sum(usd) AS usd, count(*) - count(usd) AS unknown
    FROM v_cost
    WHERE session_id = :session AND turn IS NOT NULL
    GROUP BY turn
)
SELECT turn, CASE WHEN unknown = 0 THEN round(CAST(usd AS NUMERIC), 6) END AS usd,
       CASE WHEN sum(unknown) OVER (ORDER BY turn) = 0
            THEN round(CAST(sum(usd) OVER (ORDER BY turn) AS NUMERIC), 6) END AS so_far
FROM bill
ORDER BY turn
