-- Which messages are there, from whom, and how often?
SELECT provider, sender, kind, type, count(*) AS times,
       count(DISTINCT event.session) AS sessions
FROM event JOIN session ON session.id = event.session
GROUP BY provider, sender, kind, type
ORDER BY times DESC, provider, sender, kind, type
LIMIT 20
