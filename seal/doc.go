// Package seal encrypts what a store keeps. A [Store] wraps another one and seals
// every payload with AES-256-GCM before the other sees it:
//
//	file, err := os.Open("keys.txt") // made by: sojourn keys new > keys.txt
//	...
//	ring, err := seal.ParseRing(file)
//	...
//	store, err := seal.New(inner, ring)
//	...
//	sessions, err := sojourn.New(store, nil)
//
// Whoever reads the inner store, its backups or its wire learns neither members
// nor addresses nor user agents; they see IDs, owners, deadlines and sizes.
// Whoever writes to it cannot make a session up, nor change one, nor pass off one
// session's record as another's or another user's: such a record does not open,
// and a record that does not open is no session. There is no way around that, no
// older format and no "plain" mode that is tried instead. The core reports
// [sojourn.EventCorrupt], and the cookie stays, so that a key that was forgotten
// on one machine logs nobody out: put it back, and the sessions are there again.
//
// # Keys
//
// A [Ring] has one active key, which seals, and any number that only open. To
// replace a key: make a new one, put it first, keep the old one behind it
// ("sojourn keys rotate" does that). A record is sealed anew at its next write;
// [Store.Census] tells how many are left, [Store.Reseal] does the rest. With
// several machines, give all of them the new key behind the old one first, and
// only then put it in front: one that lacks the active key cannot read what the
// others write.
//
// A key has no limit of messages in practice. Each record gets a key of its own,
// derived from the ring's by HKDF, and each write a random nonce of 96 bits; the
// 2^32 messages that NIST SP 800-38D §8.3 allows are 2^32 writes of one session.
//
// # Caveats
//
// A store that is written to by an adversary can still lose, end or delay
// sessions, move idle deadlines (the absolute one is sealed), and put an older
// sealed state of a session back, one that has ended included: only the store can
// know which state is the latest. IDs, owners and generations are in the clear,
// because the store works with them; of these, ID and owner are authenticated. A
// tombstone's time is in the clear and authenticated, its reason sealed.
//
// Go gives no promise to wipe memory: keys are in the memory of the process.
package seal
