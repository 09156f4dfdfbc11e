package nearstore

import "time"

// A Guarantee says how old the answer of a load may be.
type Guarantee struct{ within time.Duration }

// Strict is the zero Guarantee: every load asks the store. A revocation is seen
// by the next request everywhere.
var Strict Guarantee

// Bounded lets a load return what was current at some moment of the last d,
// counted back from its call. A revocation made through another process is seen
// after d at the latest, whether or not anybody could be told of it; one made
// through this Store is seen at once. Zero or less is Strict; more than
// MaxBound counts as MaxBound.
func Bounded(d time.Duration) Guarantee {
	return Guarantee{within: min(max(d, 0), MaxBound)}
}

// MaxBound is the longest Bounded. Beyond a second the hit rate grows slowly,
// the time that a thief keeps after "sign out everywhere" does not.
const MaxBound = time.Second

// young reports whether less than limit has passed since then. It asks both
// clocks of a time.Time: the monotonic one may stand still while a machine
// sleeps, the wall clock may be set back.
func young(now, then time.Time, limit time.Duration) bool {
	steady, wall := now.Sub(then), now.Round(0).Sub(then.Round(0))
	return steady >= 0 && wall >= 0 && steady < limit && wall < limit
}
