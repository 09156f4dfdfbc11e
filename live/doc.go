// Package live tells pages what happens to their session while it happens:
// that it is about to expire, was extended, rotated, changed or ended, and what
// the application wants to tell them. A [Hub] serves three transports, WebSocket,
// server-sent events and long polling, from one ordered log per session, so that
// a page may change between them, and between servers, and miss nothing without
// being told. The wire is described in docs/protocol.md.
//
//	func main() {
//		hub, err := live.New(nil)
//		if err != nil {
//			log.Fatal(err)
//		}
//		sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{Observers: []sojourn.Observer{hub}})
//		if err != nil {
//			log.Fatal(err)
//		}
//		api, err := webapi.New(sessions, &webapi.Options{Live: hub})
//		if err != nil {
//			log.Fatal(err)
//		}
//		mux := http.NewServeMux()
//		mux.Handle("/_session/", api)
//		log.Fatal(http.ListenAndServe("127.0.0.1:8080", sessions.Handler(mux)))
//	}
//
// Then hub.Publish(ctx, live.ToOwner("ada"), "app.mail", mail) reaches every tab
// of every device of ada.
//
// Caveats. A page gets an event at least once; it drops what it has by offset.
// What is published to a session that no page has followed for five minutes goes
// nowhere. Several processes need a [Backplane] that they share. An open
// connection never extends its session. Before http.Server.Shutdown, which does
// not know of these connections, call [Hub.Drain].
package live
