// Cart keeps a shopping cart in the session and shows a message once. Clicks in
// two tabs at the same time all count. Run it, open http://127.0.0.1:8080:
//
//	go run ./examples/cart
package main

import (
	_ "embed"
	"html/template"
	"log"
	"net/http"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

//go:embed page.html
var html string
var page = template.Must(template.New("page").Parse(html))

// Cart counts items. A session holds whatever encoding/json can write.
type Cart map[string]int

const (
	cart  = sojourn.Key[Cart]("cart")
	flash = sojourn.Key[string]("flash")
)

func show(w http.ResponseWriter, r *http.Request) {
	message, _, err := flash.Pop(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	items, err := cart.Get(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	page.Execute(w, map[string]any{"Message": message, "Cart": items})
}

func add(w http.ResponseWriter, r *http.Request) {
	item := r.FormValue("item")
	_, err := cart.Update(r.Context(), func(c Cart) (Cart, error) { // again if another tab was faster
		if c == nil {
			c = Cart{}
		}
		c[item]++
		return c, nil
	})
	if err == nil {
		err = flash.Set(r.Context(), "One "+item+" added.")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func handler() (http.Handler, error) {
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{
		Cookie: sojourn.Cookie{Insecure: true}, // plain HTTP on localhost; leave it out behind HTTPS
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", show)
	mux.HandleFunc("POST /add", add)
	return sessions.Handler(mux), nil
}

func main() {
	h, err := handler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8080")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", h))
}
