// Package redisplane is the backplane of live connections on Redis 7, Valkey,
// Sentinel or Cluster: processes that share one serve the same pages.
//
//	plane, err := redisplane.Open(ctx, "redis://localhost:6379", nil)
//	…
//	hub, err := live.New(&live.Options{Backplane: plane})
//	…
//	defer plane.Close() // after hub.Drain
//
// It may be the server that keeps the sessions, or another one: what it holds is
// worth nothing after five minutes, needs no disk, and may be evicted.
//
// A log is a list and a hash in one slot. One script adds an event, gives it its
// offset and publishes it on the session's channel, to which a node is subscribed
// only while it has a page of that session. Once a second each node sends itself
// a message through the servers; one that does not come back within two seconds
// means that others' do not either, so the subscriptions are made anew and all
// that was missed is read.
//
// A log belongs to one run of one server: after a restart or a failover, which
// may have lost its newest events, it has another epoch, so pages are told
// (recovered:false) rather than given a log with a hole.
//
// Caveats. The user needs INFO, EVAL, EVALSHA, PUBLISH, SUBSCRIBE, UNSUBSCRIBE,
// the keys <prefix>l* and the channels <prefix>l* ("+@all ~sojourn:* &sojourn:*"
// has them). In a Cluster every message passes every node, as PUBLISH does. A
// node that is killed counts its sessions as present for 12 s.
package redisplane
