-- Which messages does this program not know?
SELECT provider, type, sum(times) AS times, count(*) AS sessions, min(session) AS first_session
FROM unknown JOIN session ON session.id = unknown.session
GROUP BY provider, type
ORDER BY times DESC, provider, type
