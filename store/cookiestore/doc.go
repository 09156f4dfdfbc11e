// Package cookiestore keeps each session in a cookie of its browser, sealed with
// AES-256-GCM: for small sessions that are rarely written, where no server should
// hold them.
//
//	store, err := cookiestore.New([][]byte{key}, revocations, nil) // key: 32 random bytes
//	if err != nil {
//		log.Fatal(err)
//	}
//	m, err := sojourn.New(store, nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	http.ListenAndServe("127.0.0.1:8080", store.Handler(m.Handler(mux)))
//
// Each request brings its record and takes the new one home: [Store.Handler] goes
// outside of the manager's. The record's cookie stands beside the manager's, which
// holds the token; a record opens only for the session it was sealed for.
//
// What a browser brings cannot be taken from it, so what has ended is kept in
// another store, given to New: a small record for each session that ended, until
// its last cookie has expired, and one for each user whose sessions were all
// revoked. That store needs no index, but it must not forget: a database or
// Redis without eviction, memstore for one process that may log nobody out for
// good, never Memcached. It must be this package's alone. Every request that uses
// its session asks it: once, or twice at once if somebody is logged in.
//
// # What holds, and what cannot
//
// P1, logout is final: yes. A cookie kept from before a logout, login or revoke-all
// is refused for as long as it would be valid, also after its deletion.
//
// P2, no lost updates: no. Parallel requests of one browser bring the same record
// and each takes its own version home; the last answer wins. Counters lose, and
// Key.Take may give one value twice. Within one request nothing is lost.
//
// P3, a lost answer is harmless: it was never stored. Nothing is doubled, but
// what its request acknowledged elsewhere has not happened here.
//
// P5, rotation logs nobody out: yes. But an old pair of cookies stays as good as
// the new one until its idle deadline: neither Session.Renew nor RenewNow ends it,
// and no replay is noticed. After a change of password call Manager.RevokeOthers,
// or log in again: both end the old pair.
//
// P7, two clocks: yes, both lie inside the seal. P8, idle means idle: yes. P9, an
// outage is not a logout: yes, of the other store. P13, everyone's devices: revoking
// works, List does not.
//
// Nobody can read or change a sealed record, but a browser can bring an older one
// of the same session back: what must not be undone, such as a spent voucher, does
// not belong here.
//
// # Limits
//
// Browsers drop a cookie of more than 4096 bytes, so about 2700 bytes are left for
// members; beyond that a commit fails with [sojourn.ErrTooLarge]. A record is not
// spread over several cookies: browsers drop each at will, and a server would meet
// 8 KB of headers with every image.
//
// There is no session without its request: Manager.Open, Create and Inspect, and
// sockets, are [sojourn.ErrUnsupported], and so are changes after the answer has
// begun. So is Manager.Revoke of a session other than the request's own, since it
// reads it first; [Store.Revoke] ends any session by its ID. Clients that present
// their token in a header have no place for the record. RevokeOwner works
// everywhere. One manager per store.
package cookiestore
