-- What fails, whose fault is it, and how often?
SELECT provider, class, side, code, count(*) AS times, count(DISTINCT session_id) AS sessions,
       sum(is_fatal) AS fatal
FROM v_errors
GROUP BY provider, class, side, code
ORDER BY times DESC, provider, class, code, side NULLS LAST
