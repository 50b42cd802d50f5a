-- How much did providers charge by their own word, and how much says the price book?
SELECT provider, charged_by, price_book, count(*) AS lines,
       round(CAST(sum(usd) AS NUMERIC), 6) AS usd,
       count(*) - count(usd) AS lines_without_price
FROM v_cost
GROUP BY provider, charged_by, price_book
ORDER BY provider, charged_by, price_book NULLS LAST
