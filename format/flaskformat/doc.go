// Package flaskformat shares sessions with Flask applications: those whose session
// is the signed cookie,
//
//	store, err := flaskformat.New(side, &flaskformat.Options{Secrets: []string{os.Getenv("SECRET_KEY")}})
//
// and those that keep it in Redis with Flask-Session:
//
//	store, err := flaskformat.NewSession(rediskeeper.New(client, nil), side, &flaskformat.SessionOptions{
//		Secrets: []string{os.Getenv("SECRET_KEY")}, // with SESSION_USE_SIGNER
//	})
//
// Members that are not set keep their bytes: UUIDs, Decimals, sets and tuples of
// Python survive.
//
// # Python values as JSON
//
//	None, bool, int, str    the same; integers of any length; lone surrogates as escapes
//	float                   a number with a fraction; {"@float":"NaN"}, "Infinity", "-Infinity"
//	list, tuple             an array; to write a tuple: {"@tuple":[…]}
//	dict                    an object
//	Markup                  a string
//	bytes                   {"@bytes":"base64"}
//	UUID                    {"@uuid":"00000000-0000-0000-0000-000000000007"}
//	datetime                {"@datetime":"2023-11-14T22:13:20Z"}
//	date, timedelta         {"@date":"2023-11-14"}, {"@timedelta":"86400"}, in seconds
//	Decimal                 {"@decimal":"1.50"}
//	set, frozenset          {"@set":[…]}, {"@frozenset":[…]}
//
// A name that begins with "@" gets one more. What a form has no word for is refused
// with sojourn.ErrUnsupported: the cookie holds no set, date, timedelta, Decimal;
// msgpack also no tuple and UUID, and integers of 64 bits only; JSON nothing but
// JSON. Markup, which Flask shows without escaping, is never written.
//
// # Pickles
//
// Before version 0.8, Flask-Session wrote pickles, which are programs: whoever
// writes one may run code in the Flask application. Here they are decoded by a
// machine that calls nothing and knows a closed list of types; and only if
// SessionOptions.Pickle allows it. With WritePickle, members are appended to one, or
// replaced; nothing can be deleted.
//
// # What the other system does
//
// With the cookie, of parallel requests the last answer wins. Flask-Session writes
// the whole session back with every request: see format.Options.ReadMostly and Own.
// Flask refuses a cookie that was signed in the future, so hosts' clocks must agree;
// cookies are signed here as of a second ago.
//
// # Sources
//
// Flask 2.2 and 3.1, itsdangerous 2.1, Flask-Session 0.3.2 and 0.8, msgspec 0.19 and
// Python's pickletools; tests run Flask.
package flaskformat
