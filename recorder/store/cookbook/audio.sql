-- How much audio is there, and what does it take on the disk?
SELECT provider, sender, codec, count(*) AS segments,
       round(CAST(sum(frames * 1.0 / rate) AS NUMERIC), 2) AS seconds,
       sum(size) AS wire_bytes
FROM audio JOIN session ON session.id = audio.session
WHERE form IS NOT NULL
GROUP BY provider, sender, codec
ORDER BY provider, sender, codec
