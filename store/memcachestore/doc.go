// Package memcachestore keeps sessions in Memcached (tested with 1.6): for
// installations that have nothing else that many machines can reach.
//
//	store, err := memcachestore.Open(ctx, "memcached://10.0.0.1:11211,10.0.0.2:11211", nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer store.Close()
//	m, err := sojourn.New(store, nil)
//
// It keeps every rule of [sojourn.Store] while Memcached keeps its items. But
// Memcached is a cache, and that shows in four ways:
//
//   - It forgets. A restart ends all sessions of that server, and a full server
//     evicts items, least recently used first. Nothing that was ended comes back
//     by it: an evicted session, tombstone or generation means "no session". Size
//     the servers so that `evictions` in their stats stays 0, which
//     [Store.Diagnose] looks at, and use this store for sessions whose loss costs
//     a login.
//   - It has no index: List, and so the list of a user's devices, is
//     [sojourn.ErrUnsupported]. Revoking all of a user's sessions works.
//   - Items are small: see [Options.MaxItem].
//   - It knows no users. Whoever reaches its port reads and writes everything,
//     so keep it on a private network, or dial TLS by [Options.Dial].
//
// A user's sessions and generation live on one server, chosen by rendezvous
// hashing of the owner's tag, so the order of servers in the URL does not
// matter. Adding or removing a server moves some users to another, which ends
// their sessions. Never give a server back its place without restarting it: it
// may still hold sessions that were ended while it was away.
//
// # Round trips
//
// Load, Update, Touch and Revoke take one, Create two, or one for nobody's
// session. Of the text protocol that the client speaks, only a read tells an
// item's compare-and-swap number, so a write rests on the last read of this
// process. These need one more round trip:
//
//   - a write of a record that this process has not read since it last wrote it,
//     or that has changed since, and so every conflict;
//   - the first Create for an owner, and Load for an owner whose tag does not
//     begin the ID: IDs of other formats, or an [Options.OwnerKey] that differs
//     from the manager's;
//   - RevokeOwner, unless a session of that owner was just loaded.
//
// # Generations
//
// An owner's generation is an item of its own, without expiry. It begins with the
// time and some random bits, and then counts. So if it is evicted and begins
// anew, it differs from every earlier one, and a record lives only if its
// generation is exactly the owner's: all sessions from before have ended. While
// the item is missing they count as ended, too.
package memcachestore
