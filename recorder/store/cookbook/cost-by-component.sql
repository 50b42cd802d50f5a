-- What is the money spent on?
SELECT provider, component, model, round(CAST(sum(usd) AS NUMERIC), 6) AS usd,
       count(*) - count(usd) AS lines_without_price
FROM v_cost
GROUP BY provider, component, model
ORDER BY sum(usd) DESC NULLS LAST, provider, component, model NULLS LAST
