// The checkout of an Express shop, in Go: it reads the cart from the shop's own
// session and leaves the order there. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/store/memstore"
)

// The members that the shop keeps in its sessions, as it writes them.
type (
	line struct {
		Item  string `json:"item"`
		Price int    `json:"price"`
		Count int    `json:"count"`
	}
	order struct {
		ID    string `json:"id"`
		Total int    `json:"total"`
	}
)

const (
	cart   = sojourn.Key[[]line]("cart")
	orders = sojourn.Key[[]order]("orders")
)

func total(lines []line) (sum int) {
	for _, l := range lines {
		sum += l.Price * l.Count
	}
	return sum
}

var page = template.Must(template.New("").Parse(`<!doctype html><title>Checkout</title><h1>Checkout</h1>
<ul>{{range .Lines}}<li>{{.Count}} × {{.Item}}, {{.Price}} €{{else}}<li>The cart is empty.{{end}}</ul>
{{if .User}}<p>{{.User}} pays {{.Total}} €.<form method="post" action="/checkout"><button>Pay</button></form>
{{else}}<p>Please <a href="/">log in</a> first.{{end}}`))

func checkout(m *sojourn.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /checkout", func(w http.ResponseWriter, r *http.Request) {
		user, lines, err := read(r.Context())
		if err != nil {
			m.Error(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, map[string]any{"User": user, "Lines": lines, "Total": total(lines)})
	})
	mux.HandleFunc("POST /checkout", func(w http.ResponseWriter, r *http.Request) {
		user, _, err := read(r.Context())
		if err == nil && user == "" {
			err = sojourn.ErrNotFound
		}
		if err == nil {
			err = pay(r.Context())
		}
		if err != nil {
			m.Error(w, r, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return m.Handler(mux)
}

func read(ctx context.Context) (user string, lines []line, err error) {
	s, err := sojourn.From(ctx)
	if err != nil {
		return "", nil, err
	}
	user, err = s.Owner(ctx)
	if err != nil {
		return "", nil, err
	}
	lines, err = cart.Get(ctx)
	return user, lines, err
}

// pay takes the cart, so that of two clicks one pays.
func pay(ctx context.Context) error {
	lines, ok, err := cart.Take(ctx)
	if err != nil || !ok || len(lines) == 0 {
		return err
	}
	_, err = orders.Update(ctx, func(all []order) ([]order, error) {
		return append(all, order{fmt.Sprintf("order-%d", len(all)+1), total(lines)}), nil
	})
	return err
}

// open joins the shop's sessions: the options are those of shop.js.
func open(redis, secret string) (*sojourn.Manager, func(), error) {
	opt, err := rueidis.ParseURL(redis)
	if err != nil {
		return nil, nil, err
	}
	opt.DisableCache = true
	client, err := rueidis.NewClient(opt)
	if err != nil {
		return nil, nil, err
	}
	store, err := expressformat.New(rediskeeper.New(client, nil), memstore.New(nil), &expressformat.Options{
		Secrets: []string{secret},
		Owner:   "user", // req.session.user
	})
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	m, err := sojourn.New(store, &sojourn.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return m, func() { m.Close(); client.Close() }, nil
}

func env(name, def string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return def
}

func main() {
	m, closeAll, err := open(env("REDIS_URL", "redis://127.0.0.1:6379"), env("SESSION_SECRET", "keyboard cat"))
	if err != nil {
		log.Fatal(err)
	}
	defer closeAll()
	addr := "127.0.0.1:" + env("PORT", "8080")
	log.Printf("checkout on http://%s", addr)
	server := &http.Server{Addr: addr, Handler: checkout(m), ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Print(err)
	}
}
