package sqlstore

// A dialect is what differs between embedded SQL engines: the words of each
// statement and the meaning of the engine's errors. What a Store does with them
// does not.
//
// Statements number their parameters; each field documents their order.
type dialect struct {
	statements

	// explain adds to an engine's error what an operator should know.
	explain func(error) error
}

type statements struct {
	// load selects version, state, expires, owner, generation, payload and the
	// owner's generation of the record: id.
	load string
	// create inserts a record if there is none of its ID and returns the
	// owner's generation, which it stamps: id, version, state, expires, owner,
	// payload.
	create string
	// update replaces a live record of that version: payload, state,
	// generation, id, version, expires.
	update string
	// updateData does the same and keeps the deadline: payload, state,
	// generation, id, version.
	updateData string
	// touch moves the deadline of a live record forward: expires, id.
	touch string
	// revoke puts a tombstone in place of a live record: payload, expires, id.
	revoke string
	// list selects the IDs of an owner's live records: owner.
	list string
	// revokeOwner raises a generation and returns it: owner.
	revokeOwner string
	// expired selects IDs of records whose deadline is before a time:
	// expires, limit.
	expired string
	// remove deletes a record if its deadline is before a time and returns what
	// load selects, with 0 for the owner's generation: id, expires.
	remove string
	// scan selects the ID and what load selects of the records behind an ID, in
	// the order of the bytes of their IDs: id, limit.
	scan string
}
