-- By which versions of the program and of the prices were the read models made?
SELECT projections, metrics, price_book, count(*) AS sessions, sum(events) AS events
FROM mark
GROUP BY projections, metrics, price_book
ORDER BY projections, metrics, price_book
