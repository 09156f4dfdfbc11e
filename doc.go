// Package sojourn gives net/http programs sessions that stay right: parallel
// requests lose no update, a logout is final, a store outage is not a logout,
// and the cookie is safe by default.
//
//	const visits = sojourn.Counter("visits")
//
//	func main() {
//		sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{
//			Cookie: sojourn.Cookie{Insecure: true}, // plain HTTP on localhost only
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
//			n, err := visits.Add(r.Context(), 1)
//			fmt.Fprintln(w, n, err)
//		})
//		log.Fatal(http.ListenAndServe("127.0.0.1:8080", sessions.Handler(http.DefaultServeMux)))
//	}
//
// A [Manager] joins a [Store], where sessions rest, with [Options], the rules
// they live by. Its Handler puts a [Session] into each request's context; the
// session is loaded from the store at its first use and committed once, before
// the first byte of the answer. Data is reached by typed keys: [Key] for one
// member, [Counter] for a number that adds up, [Fields] for a struct whose
// fields are members. The same keys work outside requests: open a session with
// [Manager.Open] and carry it with [NewContext].
//
// Caveats. What a handler changes is visible to others when the answer begins,
// not before; [Session.Save] commits earlier. A function passed to Update may
// run more than once. Cookies are Secure by default, so over plain HTTP no
// browser keeps them: see [Cookie].
package sojourn
