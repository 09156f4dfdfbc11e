// Package audit writes down what happens to sessions: who, what, when, from where
// and why, never a token and never the value of a member. Both of its kinds are
// observers of a manager:
//
//	log, err := audit.Open(os.Stdout, nil)
//	...
//	defer log.Close()
//	sessions, err := sojourn.New(store, &sojourn.Options{Observers: []sojourn.Observer{log}})
//
// [Log] writes one JSON object per line to a writer, [Webhook] posts each to a URL
// with a signature. docs/audit.md describes the fields; they are added to, never
// renamed.
//
// A request never waits for either: events go into a bounded queue. What finds it
// full, or cannot be written or delivered, is counted, and the count is told in the
// stream itself as an event "dropped" as soon as there is room. Every record has a
// number, so that a gap shows even if the process ended before it could tell.
//
// Caveats. What is in the queue when the process is killed is lost; Close writes
// it. The file is not synced after each line. Whoever can write to the file can
// change it: to be protected from that, send the lines to another machine. Sessions
// are named by ID, which is no secret, and users by the owner the application gave
// them; addresses and user agents are personal data in many places.
package audit
