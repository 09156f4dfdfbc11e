package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A visitor is a browser as the examples need it: it keeps one cookie.
type visitor struct {
	site   http.Handler
	cookie *http.Cookie
}

func (v *visitor) get(path string) string {
	r := httptest.NewRequest("GET", "https://example.com"+path, nil)
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	w := httptest.NewRecorder()
	v.site.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		v.cookie = c
	}
	body, _ := io.ReadAll(w.Result().Body)
	return string(body)
}

func ExampleKey() {
	type Item struct {
		Name string
		N    int
	}
	const cart = sojourn.Key[[]Item]("cart")

	sessions, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	page := sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Update keeps what parallel requests put into the cart.
		items, err := cart.Update(r.Context(), func(items []Item) ([]Item, error) {
			return append(items, Item{r.FormValue("item"), 1}), nil
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, items)
	}))

	ada := &visitor{site: page}
	fmt.Println(ada.get("/?item=tea"))
	fmt.Println(ada.get("/?item=cake"))
	fmt.Println((&visitor{site: page}).get("/?item=coffee"))
	// Output:
	// [{tea 1}]
	// [{tea 1} {cake 1}]
	// [{coffee 1}]
}

func ExampleCounter() {
	const visits = sojourn.Counter("visits")

	sessions, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	ada := &visitor{site: sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := visits.Add(r.Context(), 1)
		fmt.Fprint(w, n, err)
	}))}

	fmt.Println(ada.get("/"))
	fmt.Println(ada.get("/"))
	// Output:
	// 1 <nil>
	// 2 <nil>
}

func ExampleFields() {
	type Preferences struct {
		Theme    string `json:"theme,omitempty"`
		FontSize int    `json:"fontSize,omitempty"`
	}
	var preferences sojourn.Fields[Preferences]
	const theme = sojourn.Key[string]("theme") // the same member, reached alone

	sessions, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	ada := &visitor{site: sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := theme.Set(r.Context(), "dark"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		p, err := preferences.Update(r.Context(), func(p *Preferences) error {
			p.FontSize += 10
			return nil
		})
		fmt.Fprintf(w, "%+v %v", p, err)
	}))}
	fmt.Println(ada.get("/"))
	fmt.Println(ada.get("/"))
	// Output:
	// {Theme:dark FontSize:10} <nil>
	// {Theme:dark FontSize:20} <nil>
}

func ExampleKey_Take() {
	const code = sojourn.Key[string]("code")

	sessions, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	session, token, err := sessions.Create(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	if err := code.Set(sojourn.NewContext(ctx, session), "481516"); err != nil {
		log.Fatal(err)
	}
	if err := session.Save(ctx); err != nil {
		log.Fatal(err)
	}

	// Of two that come with the same token, however close, one gets it.
	for range 2 {
		s, err := sessions.Authenticate(ctx, token.Reveal())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(code.Take(sojourn.NewContext(ctx, s)))
	}
	// Output:
	// 481516 true <nil>
	//  false <nil>
}

func ExampleSession_Login() {
	const cart = sojourn.Key[string]("cart")

	sessions, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/cart", func(w http.ResponseWriter, r *http.Request) {
		if err := cart.Set(r.Context(), "tea"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		s, err := sojourn.From(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		// After the password was checked, and before the first byte of the answer.
		if err := s.Login(r.Context(), "ada"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		owner, _ := s.Owner(r.Context())
		items, _ := cart.Get(r.Context()) // what the visitor collected came along
		fmt.Fprintf(w, "%s has %s", owner, items)
	})

	visitor := &visitor{site: sessions.Handler(mux)}
	visitor.get("/cart")
	before := visitor.cookie.Value
	fmt.Println(visitor.get("/login"))

	_, err = sessions.Authenticate(context.Background(), before)
	fmt.Println("a cookie planted before:", errors.Is(err, sojourn.ErrNotFound))
	// Output:
	// ada has tea
	// a cookie planted before: true
}

func ExampleManager_Open() {
	const report = sojourn.Key[string]("report")

	sessions, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	started, _, err := sessions.Create(ctx, "ada")
	if err != nil {
		log.Fatal(err)
	}
	id, err := started.ID(ctx) // an ID is no secret: it may wait in a queue
	if err != nil {
		log.Fatal(err)
	}

	// Later, in a job.
	session, err := sessions.Open(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	if err := report.Set(sojourn.NewContext(ctx, session), "ready"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored:", session.Save(ctx))

	// A session that ended meanwhile is not brought back.
	if err := sessions.Revoke(ctx, id, sojourn.ReasonRevoked); err != nil {
		log.Fatal(err)
	}
	_, err = sessions.Open(ctx, id)
	fmt.Println("ended:", errors.Is(err, sojourn.ErrNotFound))
	// Output:
	// stored: <nil>
	// ended: true
}

func ExampleSession_SetPolicy() {
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{Policy: sojourn.AAL(1)})
	if err != nil {
		log.Fatal(err)
	}
	visitor := &visitor{site: sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		s, err := sojourn.From(ctx)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		// Administrators get a short session, whatever the others have.
		if err = s.Login(ctx, "root"); err == nil {
			err = s.SetPolicy(ctx, sojourn.Policy{Idle: 5 * time.Minute, Absolute: time.Hour})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		st, err := s.Status(ctx)
		fmt.Fprint(w, st.Idle, " idle, ", st.AbsoluteRemaining.Round(time.Minute), " in all, ", err)
	}))}
	fmt.Println(visitor.get("/"))
	// Output:
	// 5m0s idle, 1h0m0s in all, <nil>
}
