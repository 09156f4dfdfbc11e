package live

import (
	"slices"

	"github.com/sojournhq/sojourn"
)

// An idSet is a set of sessions. Most users have few: a list of them costs a
// tenth of a map.
type idSet struct {
	few  []sojourn.ID
	many map[sojourn.ID]struct{}
}

const fewIDs = 8

func (s *idSet) add(id sojourn.ID) {
	switch {
	case s.many != nil:
		s.many[id] = struct{}{}
	case slices.Contains(s.few, id):
	case len(s.few) < fewIDs:
		s.few = append(s.few, id)
	default:
		s.many = map[sojourn.ID]struct{}{id: {}}
		for _, other := range s.few {
			s.many[other] = struct{}{}
		}
		s.few = nil
	}
}

// remove reports whether the set is empty afterwards.
func (s *idSet) remove(id sojourn.ID) bool {
	delete(s.many, id)
	if i := slices.Index(s.few, id); i >= 0 {
		s.few = slices.Delete(s.few, i, i+1)
	}
	return len(s.few)+len(s.many) == 0
}

// list returns the members in a fixed order.
func (s *idSet) list() []sojourn.ID {
	ids := slices.Clone(s.few)
	for id := range s.many {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
