// Package pgplane is the backplane of live connections on PostgreSQL 12 or newer:
// processes that share a database serve the same pages.
//
//	plane, err := pgplane.Open(ctx, "postgres://user:password@localhost/app", nil)
//	…
//	hub, err := live.New(&live.Options{Backplane: plane})
//	…
//	defer plane.Close() // after hub.Drain
//
// Logs are rows. Adding an event is one statement, which gives it its offset and
// notifies (NOTIFY) with the session and the offset only; each node listens on
// one connection, and reads what is new of the sessions it follows, all that were
// named meanwhile in one query. Once a second each node notifies itself; if it
// does not hear that within two seconds it connects anew and reads on from where
// it was.
//
// The tables are unlogged: they cost no WAL and no wait for a disk. After a crash
// of the server, or on a standby that takes over, they are empty. Logs then begin
// anew under another epoch, and pages are told (recovered:false) rather than
// given a log with a hole.
//
// Caveats. Connect to the server itself, not through a pooler that pools by
// transaction: notifications would not arrive. PostgreSQL commits transactions
// that notify one at a time, across all databases of the server; what does not
// change a log, such as keeping one alive, notifies nobody. The privileges needed
// are those to create the tables, or, if `sojourn schema postgres-live` created
// them and Options.NoMigrate is set, SELECT, INSERT, UPDATE and DELETE on them.
// A node that is killed counts its sessions as present for 12 s.
package pgplane
