package sojourn

import "slices"

// A room is what a session needs only if it changes.
type room struct {
	ops    []op
	upkeep int     // how many of ops are rotation, stored at the next chance
	nonce  uint32  // of the next commit
	fresh  *secret // of RenewNow: issued once it is stored
	birth  birth

	about      details // of the new record
	firstOps   [2]op
	firstDirty [2]change
}

// pending are the changes to be committed.
func (s *Session) pending() []op {
	if s.room == nil {
		return nil
	}
	return s.room.ops
}

// changesMembers reports whether what is pending is more than upkeep.
func (s *Session) changesMembers() bool {
	return slices.ContainsFunc(s.pending(), func(o op) bool { return o.kind != opMeta })
}

// furnish makes room for changes.
func (s *Session) furnish() {
	if s.room == nil {
		s.room = new(room)
		s.room.ops = s.room.firstOps[:0]
	}
	if s.draft.dirty == nil {
		s.draft.dirty = s.room.firstDirty[:0]
	}
}

func (s *Session) push(o op) {
	s.furnish()
	s.room.ops = append(s.room.ops, o)
}
