-- Which kind of tokens, minutes or characters costs how much?
SELECT provider, model, meter, unit, round(CAST(sum(quantity) AS NUMERIC), 3) AS quantity,
       round(CAST(sum(usd) AS NUMERIC), 6) AS usd,
       count(*) - count(usd) AS lines_without_price
FROM v_cost
GROUP BY provider, model, meter, unit
ORDER BY provider, model NULLS LAST, meter, unit
