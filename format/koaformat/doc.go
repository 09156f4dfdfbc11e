// Package koaformat shares sessions with Koa applications that use koa-session, in
// its cookie or with a store, or koa-generic-session with koa-redis:
//
//	store, err := koaformat.New(nil, side, &koaformat.Options{Keys: app.keys})        // the cookie is the record
//	store, err := koaformat.New(keeper, side, &koaformat.Options{Keys: app.keys})     // koa-session with a store
//	store, err := koaformat.NewGeneric(keeper, side, &koaformat.Options{Keys: app.keys})
//
// Set each option as it is in the application. The user is the one of koa-passport,
// unless Options.Owner says otherwise.
//
// # What the other system does
//
// Both sign the cookie with another one, whose name ends in ".sig"; one that is signed
// with an old key gets a new signature at once, here as there.
//
// Both write the whole session back if a request has changed anything in it, and so
// lose what was written here meanwhile. Neither extends a session that is only read,
// unless Rolling (or Renew) is set; nor is it extended here. With the cookie as the
// record nobody can end a session for those who kept a copy of the cookie: here the
// cookie that was presented stays ended, there it does not.
//
// Names that koa-session's Session has itself, and all that begin with "_", are
// refused with [sojourn.ErrUnsupported]; so are numbers beyond 2^53.
package koaformat
