-- For what is there no price?
SELECT provider, component, model, meter, unit, sum(quantity) AS quantity,
       count(DISTINCT session_id) AS sessions
FROM v_cost
WHERE usd IS NULL
GROUP BY provider, component, model, meter, unit
ORDER BY provider, component, model NULLS LAST, meter
