package mysql

// Each operation is one statement, and so one transaction under READ COMMITTED:
// it reads what was committed when it began, an update looks at the latest row,
// and nobody locks gaps, which would make strangers wait for each other.
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
//
// LAST_INSERT_ID(n) is how a statement tells its client a number in the one
// answer it gives: MySQL has no RETURNING.
const (
	recordColumns = `s.ver, s.state, s.expires, s.owner, s.gen, s.data, COALESCE(o.gen, 0)`

	sqlLoad = `SELECT ` + recordColumns + `
		FROM sojourn_session s LEFT JOIN sojourn_owner o ON o.owner = s.owner WHERE s.id = ?`

	// id, version, state, expires, expires, owner, owner, payload. A select, not
	// VALUES: only then is the generation read without a lock.
	sqlCreate = `INSERT INTO sojourn_session (id, ver, state, expires, due, owner, gen, data)
		SELECT ?, ?, ?, ?, ?, ?, LAST_INSERT_ID(COALESCE((SELECT o.gen FROM sojourn_owner o WHERE o.owner = ?), 0)), ?`

	// payload, state, generation, id, version.
	sqlUpdateData = `UPDATE sojourn_session SET data = ?, ver = ver + 1, state = ?, gen = ?
		WHERE id = ? AND ver = ? AND state = 0`

	// payload, state, generation, expires, expires, id, version.
	sqlUpdate = `UPDATE sojourn_session SET data = ?, ver = ver + 1, state = ?, gen = ?, expires = ?, due = LEAST(due, ?)
		WHERE id = ? AND ver = ? AND state = 0`

	// expires, id, expires.
	sqlTouch = `UPDATE sojourn_session SET expires = ? WHERE id = ? AND state = 0 AND expires < ?`

	// payload, expires, expires, id.
	sqlRevoke = `UPDATE sojourn_session SET state = 1, ver = ver + 1, data = ?, expires = ?, due = LEAST(due, ?)
		WHERE id = ? AND state = 0`

	sqlList = `SELECT id FROM sojourn_session WHERE owner = ? AND state = 0`

	sqlRevokeOwner = `INSERT INTO sojourn_owner (owner, gen) VALUES (?, LAST_INSERT_ID(1))
		ON DUPLICATE KEY UPDATE gen = LAST_INSERT_ID(gen + 1)`

	// id, limit.
	sqlScan = `SELECT s.id, ` + recordColumns + `
		FROM sojourn_session s LEFT JOIN sojourn_owner o ON o.owner = s.owner WHERE s.id > ? ORDER BY s.id LIMIT ?`

	// expires, limit.
	sqlDue = `SELECT id, ver, state, expires, owner, gen, data, 0 FROM sojourn_session
		WHERE due < ? ORDER BY due LIMIT ? FOR UPDATE SKIP LOCKED`

	// Followed by a list of IDs.
	sqlRemove = `DELETE FROM sojourn_session WHERE id IN `
	sqlDefer  = `UPDATE sojourn_session SET due = expires WHERE id IN `
)
