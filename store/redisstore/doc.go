// Package redisstore keeps sessions in Redis 7 or newer, or in Valkey: one
// server, a primary behind Sentinels, or a Cluster.
//
//	store, err := redisstore.Open(ctx, "redis://user:password@localhost/0", nil)
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	manager, err := sojourn.New(store, nil)
//
// Every operation is one round trip. All keys of a user lie in one Cluster slot.
// Scripts are run by their hash and sent in full to a server that does not know
// them.
//
// # What may be lost
//
// Redis answers before its disk and its replicas have a write:
//
//	appendonly yes, appendfsync always     kill -9 and power loss lose nothing that was acknowledged
//	appendonly yes, appendfsync everysec   up to about a second of writes
//	appendonly no                          everything since the last snapshot
//	a failover to a replica                what had not reached it, whatever the disk has
//
// A lost write may be a logout. So, whatever ends sessions waits up to
// Options.ReplicaWait for one replica, and this process remembers what it ended
// in the last Options.Replay: it ends it again on a primary that is new or has
// restarted, and until then answers for it itself. Set min-replicas-to-write 1
// to refuse writes that only one server would have.
//
// # Eviction
//
// With any maxmemory-policy but noeviction a full server forgets sessions, and
// with them that all sessions of a user were ended: [Open] logs a warning. With
// noeviction a full server refuses new sessions and changes, but still ends and
// extends sessions.
//
// # Permissions
//
// A user of an ACL needs
//
//	~sojourn:* -@all +mget +get +set +exists +getrange +setrange +pexpireat +pexpiretime
//	+zadd +zrem +zscore +zrange +zrangebyscore +zremrangebyscore +time
//	+eval +evalsha +ping +hello +info +wait
//
// and +cluster|slots +cluster|shards +asking for a Cluster, +role behind
// Sentinels. Without +info and +wait it works, but knows nothing of replicas.
// Scan needs +scan, and +cluster|nodes for a Cluster; Watch +client|tracking;
// Diagnose also +dbsize +config|get, and +cluster|info for a Cluster.
//
// # Other caveats
//
// A record whose ID does not begin with its owner's tag, because another format
// or a Manager with an OwnerKey made it, lies in another slot than the owner's
// index: then Load, Create, Touch, Revoke, and an Update that moves the
// deadline, are two round trips. Sessions of nobody are one always.
//
// A record stays for Options.Linger after its deadline. Deadlines are judged by
// the server's clock there, so it should be right within a minute.
//
// Reads go to the primary. The number of a user's sessions is not bounded here.
package redisstore
