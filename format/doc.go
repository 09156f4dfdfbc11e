// Package format shares live sessions with applications in other languages: a
// [Store] keeps records as another system writes them down, under that system's
// keys, and names them in that system's cookies. Who logged in there is logged in
// here, and back, without a change to the other application.
//
//	keeper := rediskeeper.New(client, nil)
//	store, err := expressformat.New(keeper, memstore.New(nil), &expressformat.Options{
//		Secrets: []string{secret},
//	})
//	...
//	sessions, err := sojourn.New(store, nil)
//
// A [Format] says what the cookie and the bytes of a record mean; a [Keeper] holds
// the bytes, with the other system's locks where it has them. The packages beside
// this one are formats and keepers.
//
// # How a record is changed
//
// Only the members that a request has changed are replaced in the other system's
// bytes, which are read again and swapped if they are still the same. So writes of
// this package lose nothing. The other system's may: most write the whole record
// back as they read it at the beginning of their request. Two options keep clear
// of that: ReadMostly, and Own, which lays members of one's own beside the record.
//
// # What a second store is for
//
// side, a store in our own form, remembers what has ended, because a slow request
// of the other system can write a record back after its end. With Options.Beside it
// also holds a record of ours beside each of theirs, for what theirs has no place
// for: the list of a user's devices, the absolute deadline, ending all of a user's
// sessions. It must be this package's alone, and all processes of the application
// must share it.
//
// # What holds, and what cannot
//
// The ID is the other system's, and is as secret as its cookie's signature or its
// length makes it. Nobody renews a secret, since there is none: Session.Renew is
// [sojourn.ErrUnsupported], Session.RenewNow gives the session a new ID at once.
// How long a session lives is the other system's affair, so SetPolicy and Remember
// are not supported. A commit whose answer was lost is recognised by its bytes; if
// somebody has changed them since, it is [sojourn.ErrUnavailable] and not repeated.
// docs/formats.md has a table of all formats.
package format
