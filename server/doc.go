// Package server is Sojourn as a service: one http.Handler that joins the
// browser-facing session API, a demo page, health checks and the headers a
// page should be sent with.
//
//	sessions, err := sojourn.New(store, nil)
//	…
//	handler, err := server.New(sessions, &server.Options{Store: store})
//	…
//	http.ListenAndServe("127.0.0.1:8080", handler)
//
// It serves
//
//	/                   the demo page, unless Options.NoDemo
//	/demo/…             what the demo page asks for
//	/_session/v1/…      the session API and its browser SDK: package webapi
//	/_session/dbsc/…    what browsers ask to bind sessions to devices, with Options.Binder
//	/healthz            200 as long as the process runs
//	/readyz             200 when the store answers and the server is not draining
//
// Caveats. The server receives its store and never closes it. The demo lets
// anyone log in as anyone of its three users: leave it out wherever that matters.
package server
