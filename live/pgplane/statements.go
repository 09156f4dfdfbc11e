package pgplane

// now is the server's clock: those of nodes may differ.
const now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

const (
	// $1 id, $2 tags. Most opens find all as it should be, and write nothing.
	sqlLook = `
SELECT l.epoch, l.top, l.reason, l.until > ` + now + `, ` + now + ` - l.used,
	(SELECT count(*) FROM sojourn_live_tag t WHERE t.id = $1 AND t.tag = ANY ($2)) = cardinality($2::bytea[])
FROM sojourn_live l WHERE l.id = $1`

	// $1 id, $2 new epoch, $3 tags, $4 node, $5 number of the watch, or 0
	sqlOpen = `
WITH log AS (
	INSERT INTO sojourn_live AS l (id, epoch, top, used) VALUES ($1, $2, 0, ` + now + `)
	ON CONFLICT (id) DO UPDATE SET used = excluded.used,
		epoch  = CASE WHEN l.reason IS NOT NULL AND l.until <= excluded.used THEN excluded.epoch ELSE l.epoch END,
		top    = CASE WHEN l.reason IS NOT NULL AND l.until <= excluded.used THEN 0 ELSE l.top END,
		reason = CASE WHEN l.reason IS NOT NULL AND l.until <= excluded.used THEN NULL ELSE l.reason END
	RETURNING epoch, top, reason
), tagged AS (
	INSERT INTO sojourn_live_tag (id, tag)
	SELECT $1, t FROM unnest($3::bytea[]) t, log WHERE log.reason IS NULL ON CONFLICT DO NOTHING
), watched AS (
	INSERT INTO sojourn_live_watch (id, tag, node, number)
	SELECT $1, t, $4, $5::bigint FROM unnest($3::bytea[]) t, log WHERE log.reason IS NULL AND $5::bigint <> 0 ON CONFLICT DO NOTHING
)
SELECT epoch, top, reason FROM log`

	// $1 ids, $2 event, $3 events, $4 bytes and $5 milliseconds to keep, $6 channel.
	// Rows are locked in the order of their ids, so that two that append to the
	// same sessions wait for each other and do not for ever.
	sqlAppend = `
WITH locked AS (
	SELECT id FROM sojourn_live WHERE id = ANY ($1) AND reason IS NULL ORDER BY id FOR UPDATE
), log AS (
	UPDATE sojourn_live l SET top = l.top + 1 FROM locked WHERE l.id = locked.id RETURNING l.id, l.epoch, l.top
), added AS (
	INSERT INTO sojourn_live_event (id, epoch, top, at, data) SELECT id, epoch, top, ` + now + `, $2 FROM log
), sized AS (
	SELECT a.id, a.top, sum(octet_length(a.data)) OVER (PARTITION BY a.id ORDER BY a.top DESC) AS size
	FROM log JOIN sojourn_live_event a ON a.id = log.id AND a.epoch = log.epoch WHERE log.top % 16 = 0
), cut AS MATERIALIZED (
	SELECT id, max(top) FILTER (WHERE size > $4::bigint) AS top FROM sized GROUP BY id
), trimmed AS (
	DELETE FROM sojourn_live_event e USING log JOIN cut ON cut.id = log.id WHERE e.id = log.id AND e.epoch = log.epoch
		AND (e.top <= GREATEST(log.top - $3::bigint, cut.top) OR e.at < ` + now + ` - $5::bigint)
)
SELECT count(pg_notify($6, encode(id, 'hex') || ' ' || epoch || ' ' || top)) FROM log`

	// $1 id, $2 epoch, $3 offset, $4 events and $5 milliseconds kept
	sqlRead = `
SELECT l.epoch, l.top, e.top, e.data FROM sojourn_live l LEFT JOIN sojourn_live_event e
	ON e.id = l.id AND e.epoch = l.epoch AND e.epoch = $2 AND e.top > $3 AND e.top > l.top - $4::bigint AND e.at >= ` + now + ` - $5::bigint
WHERE l.id = $1 AND l.reason IS NULL ORDER BY e.top`

	// $1 id, $2 event, $3 reason, $4 milliseconds to remember it, $5 channel
	sqlEnd = `
WITH log AS (
	UPDATE sojourn_live SET top = top + 1, reason = $3, until = ` + now + ` + $4::bigint
	WHERE id = $1 AND reason IS NULL RETURNING id, epoch, top
), added AS (
	INSERT INTO sojourn_live_event (id, epoch, top, at, data) SELECT id, epoch, top, ` + now + `, $2 FROM log
), untagged AS (
	DELETE FROM sojourn_live_tag t USING log WHERE t.id = log.id
)
SELECT count(pg_notify($5, encode(id, 'hex') || ' ' || epoch || ' ' || top)) FROM log`

	// $1 tag
	sqlTagged = `
SELECT t.id FROM sojourn_live_tag t JOIN sojourn_live l ON l.id = t.id WHERE t.tag = $1 AND l.reason IS NULL ORDER BY t.id`

	// $1 tag, $2 this node
	sqlPresent = `
SELECT DISTINCT w.id FROM sojourn_live_watch w JOIN sojourn_live l ON l.id = w.id AND l.reason IS NULL
WHERE w.tag = $1 AND (w.node = $2 OR EXISTS (SELECT FROM sojourn_live_node n WHERE n.node = w.node AND n.until > ` + now + `))
ORDER BY w.id`

	// $1 numbers, $2 ids, $3 epochs, $4 offsets of followers: what each lacks.
	sqlFetch = `
SELECT f.number, l.epoch, l.top, e.top, e.data
FROM unnest($1::int[], $2::bytea[], $3::text[], $4::bigint[]) AS f (number, id, epoch, after)
LEFT JOIN sojourn_live l ON l.id = f.id
LEFT JOIN sojourn_live_event e ON e.id = f.id AND e.epoch = f.epoch AND e.epoch = l.epoch AND e.top > f.after
ORDER BY f.number, e.top`

	// $1 ids. Returns where the logs are.
	sqlKeep = `
WITH locked AS (SELECT id FROM sojourn_live WHERE id = ANY ($1) ORDER BY id FOR UPDATE)
UPDATE sojourn_live l SET used = ` + now + ` FROM locked WHERE l.id = locked.id RETURNING l.id, l.epoch, l.top`

	// $1 node, $2 milliseconds until it counts as dead
	sqlBeat = `
INSERT INTO sojourn_live_node (node, until) VALUES ($1, ` + now + ` + $2)
ON CONFLICT (node) DO UPDATE SET until = excluded.until`

	// $1 node, $2 numbers
	sqlLeave = `DELETE FROM sojourn_live_watch WHERE node = $1 AND number = ANY ($2)`

	// $1 node
	sqlDepart = `
WITH gone AS (DELETE FROM sojourn_live_watch WHERE node = $1)
DELETE FROM sojourn_live_node WHERE node = $1`

	// $1 milliseconds after which a log that nobody uses goes. A thousand logs at
	// once, those passed over that others hold.
	sqlSweep = `
WITH gone AS (
	DELETE FROM sojourn_live WHERE id IN (
		SELECT id FROM sojourn_live
		WHERE reason IS NULL AND used < ` + now + ` - $1 OR reason IS NOT NULL AND until < ` + now + `
		LIMIT 1000 FOR UPDATE SKIP LOCKED)
	RETURNING id
), events AS (
	DELETE FROM sojourn_live_event e USING gone WHERE e.id = gone.id
), tags AS (
	DELETE FROM sojourn_live_tag t USING gone WHERE t.id = gone.id
)
SELECT count(*) FROM gone`

	// $1 milliseconds that events are kept
	sqlSweepRest = `
WITH events AS (
	DELETE FROM sojourn_live_event WHERE at < ` + now + ` - $1
), tags AS (
	DELETE FROM sojourn_live_tag t WHERE NOT EXISTS (SELECT FROM sojourn_live l WHERE l.id = t.id)
), dead AS (
	DELETE FROM sojourn_live_node WHERE until < ` + now + ` - 60000
)
DELETE FROM sojourn_live_watch w WHERE NOT EXISTS (SELECT FROM sojourn_live_node n WHERE n.node = w.node AND n.until > ` + now + ` - 60000)`

	sqlNotify = `SELECT pg_notify($1, $2)`
)
