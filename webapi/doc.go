// Package webapi is the HTTP API through which a page sees and changes its own
// session: status, extension, declared members, devices and logout, and the
// browser SDK that speaks it. The wire is described in docs/protocol.md.
//
//	func main() {
//		sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{ErrorHandler: webapi.ErrorHandler})
//		if err != nil {
//			log.Fatal(err)
//		}
//		api, err := webapi.New(sessions, &webapi.Options{Readable: []string{"cart"}, Writable: []string{"cart"}})
//		if err != nil {
//			log.Fatal(err)
//		}
//		mux := http.NewServeMux()
//		mux.Handle("/_session/", api)
//		log.Fatal(http.ListenAndServe("127.0.0.1:8080", sessions.Handler(mux)))
//	}
//
// A page then loads [API.ScriptURL].
//
// Caveats. Nothing of a session is shown or changed unless Options says so:
// without Readable and Writable the page learns of its session's life only. The
// API never begins a session. It must stand below [sojourn.Manager.Handler] of
// the same Manager, and http.StripPrefix must not come between. It answers the
// same origin only; what protects it from other sites is the Manager's origin
// check together with the X-Session-CSRF header, which a form cannot send.
package webapi
