package postgres

// Each operation is one statement, and so one transaction under READ COMMITTED:
// it sees what was committed when it began, and an update that had to wait for a
// row looks at its conditions again.
//
// That makes Create and RevokeOwner safe without a lock (P13). A Create stamps
// the generation that was committed when its statement began:
//
//   - A RevokeOwner that answered before the Create was called had committed by
//     then, so the record gets the new generation.
//   - A RevokeOwner that commits after the statement began gives a generation
//     greater than the stamped one: the record is dead, whenever it appears.
//
// There is no third case, since generations only rise: the increment locks the
// owner's row, and of two first ones the later waits at the primary key.
const (
	// A subselect costs a third less than a join here.
	ownerGeneration = `COALESCE((SELECT o.gen FROM sojourn_owner o WHERE o.owner = s.owner), 0)`
	recordColumns   = `s.ver, s.state, s.expires, s.owner, s.gen, s.data, ` + ownerGeneration

	// The same of a row that may be missing; its ID is NULL then.
	rowColumns = `s.id, COALESCE(s.ver, 0), COALESCE(s.state, 0), COALESCE(s.expires, 0), s.owner, COALESCE(s.gen, 0), s.data`

	sqlLoad = `SELECT ` + recordColumns + ` FROM sojourn_session s WHERE s.id = $1`

	// id, version, state, expires, owner, payload.
	sqlCreate = `INSERT INTO sojourn_session (id, ver, state, expires, due, owner, gen, data)
		VALUES ($1, $2, $3, $4::bigint, $4::bigint, $5,
			COALESCE((SELECT gen FROM sojourn_owner WHERE owner = $5), 0), $6)
		ON CONFLICT (id) DO NOTHING RETURNING gen`

	// payload, state, generation, id, version; expires. One row comes back: 1, or
	// 0 and the record that is there, if there is one.
	sqlUpdateData = `WITH changed AS (UPDATE sojourn_session SET data = $1, ver = ver + 1, state = $2, gen = $3` + updateWhere
	sqlUpdate     = `WITH changed AS (UPDATE sojourn_session SET data = $1, ver = ver + 1, state = $2, gen = $3,
		expires = $6::bigint, due = LEAST(due, $6::bigint)` + updateWhere
	updateWhere  = updateRows + updateAnswer
	updateRows   = ` WHERE id = $4 AND ver = $5 AND state = 0 RETURNING 1`
	updateAnswer = `)
		SELECT c.n, ` + rowColumns + `, ` + ownerGeneration + ` FROM (SELECT count(*) AS n FROM changed) c
		LEFT JOIN sojourn_session s ON c.n = 0 AND s.id = $4`

	// expires, id. The setting lasts until this transaction has committed, which
	// therefore does not wait for the disk.
	sqlTouch = `UPDATE sojourn_session SET expires = $1 WHERE id = $2 AND state = 0 AND expires < $1
		AND set_config('synchronous_commit', 'off', true) = 'off'`

	// payload, expires, id.
	sqlRevoke = `UPDATE sojourn_session SET state = 1, ver = ver + 1, data = $1, expires = $2::bigint, due = LEAST(due, $2::bigint)
		WHERE id = $3 AND state = 0`

	// What ends sessions tells listeners so in the same statement, if
	// Options.Notify is set. The last parameter is the message. RETURNING runs once
	// for each row that was changed, and never for one that was not.
	feed                = `sojourn_ended`
	notify              = `pg_notify('` + feed + `', $`
	sqlUpdateDataNotify = `WITH changed AS (UPDATE sojourn_session SET data = $1, ver = ver + 1, state = $2, gen = $3` +
		updateRows + `, ` + notify + `6)` + updateAnswer
	sqlUpdateNotify = `WITH changed AS (UPDATE sojourn_session SET data = $1, ver = ver + 1, state = $2, gen = $3,
		expires = $6::bigint, due = LEAST(due, $6::bigint)` + updateRows + `, ` + notify + `7)` + updateAnswer
	sqlRevokeNotify      = sqlRevoke + ` RETURNING ` + notify + `4)`
	sqlRevokeOwnerNotify = sqlRevokeOwner + `, ` + notify + `2)`
	sqlNotify            = `SELECT ` + notify + `1)`
	sqlListen            = `LISTEN ` + feed

	// owner <> '' is what lets the partial index serve it.
	sqlList = `SELECT id FROM sojourn_session WHERE owner = $1 AND owner <> '' AND state = 0`

	sqlRevokeOwner = `INSERT INTO sojourn_owner (owner, gen) VALUES ($1, 1)
		ON CONFLICT (owner) DO UPDATE SET gen = sojourn_owner.gen + 1 RETURNING gen`

	// id, limit.
	sqlScan = `SELECT s.id, ` + recordColumns + ` FROM sojourn_session s WHERE s.id > $1 ORDER BY s.id LIMIT $2`

	// expires, limit. Of the records that are due and that nobody holds, it removes
	// those that have expired and makes the others, which a touch has moved, due
	// when they expire. Every row begins with the number of both.
	sqlSweep = `WITH due AS (
			SELECT id, expires FROM sojourn_session WHERE due < $1 ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED
		), moved AS (
			UPDATE sojourn_session s SET due = s.expires FROM due d WHERE s.id = d.id AND d.expires >= $1
		), gone AS (
			DELETE FROM sojourn_session s USING due d WHERE s.id = d.id AND d.expires < $1
			RETURNING s.id, s.ver, s.state, s.expires, s.owner, s.gen, s.data
		)
		SELECT c.n, ` + rowColumns + `, 0 FROM (SELECT count(*) AS n FROM due) c LEFT JOIN gone s ON true`
)
