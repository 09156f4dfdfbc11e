// Package dbsc binds sessions to the browser's device: Device Bound Session
// Credentials (W3C WebAppSec, editor's draft of February 2026), which Chrome and
// Edge speak on Windows and macOS. After a login the browser makes a key that
// cannot leave the device, registers it, and proves every few minutes that it
// still holds it. A stolen session cookie is then worth nothing on any other
// machine.
//
//	rules := &sojourn.Options{}
//	binder, err := dbsc.New(rules, nil)
//	...
//	sessions, err := sojourn.New(store, rules)
//	...
//	mux.Handle(dbsc.DefaultPath, binder)
//	http.ListenAndServeTLS(addr, cert, key, sessions.Handler(mux))
//
// Nothing else changes: pages need no script, handlers no code. Browsers that do
// not speak the protocol ignore it; their sessions stay unbound, which
// [Options.UnboundFor] and [Binder.Require] may limit.
//
// # What happens
//
//	browser                                   server
//	log in ─────────────────────────────────▶
//	◀──────────── Secure-Session-Registration  an offer: path, challenge of one minute
//	POST register, proof with a new key ────▶  the key is kept in the session's record
//	◀─── __Host-sojourn-bound, 10 min; config  pending …
//	any request with both cookies ──────────▶  … bound: from now on both are needed
//	POST refresh ───────────────────────────▶
//	◀─────────── 403 Secure-Session-Challenge  unless the browser has one left over
//	POST refresh, proof ────────────────────▶  the proof counts once
//	◀─── __Host-sojourn-bound, 10 min          browsers hold requests back meanwhile
//
// A request with the session cookie alone is kept out: it sees no session, stores
// nothing, and sojourn.EventRefused tells of it with [ErrUnproven]. Its user can
// log in again, as one whose device lost its key must. Nobody is kept out by
// bad luck: a binding takes hold only when the browser has shown that it got it,
// requests that were under way at that moment pass for another Options.Overlap, a
// bound cookie is good until its own end whatever newer ones there are, and a
// browser that could not refresh (its quota, our outage) is answered 503 for as
// long as it says so.
//
// # Outages
//
// A store that fails makes refreshes 503, which ends nothing: browsers try again.
// Only a session that has ended, is unbound or is another is answered 401, which
// makes the browser forget its key. All that is needed to verify cookies and
// challenges is in the session's record, so restarts and other processes make no
// difference, and there is no key of the server's whose loss would matter.
//
// # Caveats
//
// A thief who has both cookies is the user for at most Lifetime plus Overlap. One
// who is on the device, at login or later, is out of scope of the draft (§2.1).
// Sessions shared with subdomains (Cookie.Domain) cannot be bound. The binding is
// the session's: a new login registers a new key. Manager.Authenticate refuses
// tokens of bound sessions, because nothing proves there what they are tied to;
// Manager.Open, by ID, is not asked. An open WebSocket is not asked again.
package dbsc
