package expressformat_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/redisstore"
)

func open(t *testing.T, addr string, opt *expressformat.Options) *format.Store {
	t.Helper()
	store, err := expressformat.New(rediskeeper.New(redisClient(t, addr), nil), memstore.New(nil), opt)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// The applications replace their secrets one after the other: nobody is logged out,
// and what is old is not signed anew, as there.
func TestSecretsRotate(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	before := testenv.StartNode(t, "express.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=old")
	_, cookies := formattest.There(t, "POST", before.URL+"/login?user=ada", "", "")
	old := formattest.Pairs(cookies)
	store := open(t, r.Addr, &expressformat.Options{Secrets: []string{"new", "old"}})
	if sent := formattest.Here(t, store, old, formattest.Owner("ada")); len(sent) != 0 {
		t.Errorf("%v", sent)
	}
	fresh := formattest.Pairs(formattest.Here(t, store, old, func(ctx context.Context, s *sojourn.Session) error { return s.RenewNow(ctx) }))
	after := testenv.StartNode(t, "express.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=new")
	if text, _ := formattest.There(t, "GET", after.URL+"/session", fresh, ""); !strings.Contains(text, `"user":"ada"`) {
		t.Error(text)
	}
	if sent := formattest.Here(t, open(t, r.Addr, &expressformat.Options{Secrets: []string{"new"}}), old, formattest.Owner("")); len(sent) != 0 {
		t.Errorf("%v", sent)
	}
}

// With records beside, in a store that processes share: the list of a user's
// devices, and ending them all, here and there.
func besideExpress(t *testing.T, r *testenv.Redis, app *testenv.Node) {
	process := func() (*sojourn.Manager, *format.Store) {
		side, err := redisstore.Open(t.Context(), "redis://"+r.Addr, &redisstore.Options{Prefix: "side:"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { side.Close() })
		store, err := expressformat.New(rediskeeper.New(redisClient(t, r.Addr), nil), side,
			&expressformat.Options{Secrets: secrets, Store: &format.Options{Beside: true}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := sojourn.New(store, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m, store
	}
	m, store := process()
	other, otherStore := process()
	var browsers []string
	for range 3 {
		_, cookies := formattest.There(t, "POST", app.URL+"/login?user=grace", "", "")
		browsers = append(browsers, formattest.Pairs(cookies))
		formattest.Here(t, store, formattest.Pairs(cookies), formattest.Owner("grace"))
	}
	list, err := other.List(t.Context(), "grace")
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := m.Revoke(t.Context(), list[0].ID, sojourn.ReasonRevoked); err != nil {
		t.Fatal(err)
	}
	if list, err = other.List(t.Context(), "grace"); err != nil || len(list) != 2 {
		t.Errorf("after one was ended: %+v, %v", list, err)
	}
	if err := m.RevokeOwner(t.Context(), "grace"); err != nil {
		t.Fatal(err)
	}
	for _, cookie := range browsers {
		formattest.Here(t, otherStore, cookie, formattest.Owner(""))
		if text, _ := formattest.There(t, "GET", app.URL+"/session", cookie, ""); !strings.Contains(text, `"user":""`) {
			t.Errorf("there: %s", text)
		}
	}
	_, cookies := formattest.There(t, "POST", app.URL+"/login?user=grace", "", "")
	formattest.Here(t, otherStore, formattest.Pairs(cookies), formattest.Owner("grace")) // a new login works
}

// What the docs warn of: a request of Express that has read before our write, and
// changes something, undoes it. What is kept beside its record is safe.
func expressOverwrites(t *testing.T, r *testenv.Redis, app *testenv.Node) {
	_, cookies := formattest.There(t, "POST", app.URL+"/login?user=ada", "", "")
	cookie := formattest.Pairs(cookies)
	store := open(t, r.Addr, &expressformat.Options{Secrets: secrets, Store: &format.Options{Own: []string{"go_*"}}})
	gate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		formattest.Here(t, store, cookie, func(ctx context.Context, _ *sojourn.Session) error {
			if err := sojourn.Key[int]("ours").Set(ctx, 1); err != nil {
				return err
			}
			return sojourn.Key[int]("go_ours").Set(ctx, 1)
		})
	}))
	defer gate.Close()
	formattest.There(t, "POST", app.URL+"/slow?key=theirs&gate="+url.QueryEscape(gate.URL), cookie, "1")
	formattest.Here(t, store, cookie, func(ctx context.Context, s *sojourn.Session) error {
		members, _, err := s.Members(ctx)
		if string(members["theirs"]) != "1" || string(members["go_ours"]) != "1" {
			t.Errorf("%s", members)
		}
		if members["ours"] != nil {
			t.Errorf("Express no longer overwrites: the warning is out of date")
		}
		return err
	})
	if text, _ := formattest.There(t, "GET", app.URL+"/session", cookie, ""); strings.Contains(text, "go_ours") {
		t.Errorf("Express sees it: %s", text)
	}
}

// The names that we refuse are those that Express drops, and no others of that kind.
func reservedNames(t *testing.T, r *testenv.Redis, app *testenv.Node) {
	store := open(t, r.Addr, &expressformat.Options{Secrets: secrets})
	names := []string{"id", "req", "touch", "resetMaxAge", "save", "reload", "destroy", "regenerate", "constructor", "hasOwnProperty", "isPrototypeOf",
		"propertyIsEnumerable", "toLocaleString", "toString", "valueOf", "__proto__", "__defineGetter__", "__lookupSetter__",
		"user", "maxAge", "length", "name", "prototype", "toJSON2", "_x", "cart", "then", "inspect", "flash", "hash", "store"}
	record := map[string]any{"cookie": map[string]any{}}
	for _, name := range names {
		record[name] = 1
	}
	text, _ := json.Marshal(record)
	r.Do("SET", "sess:abc", string(text))
	seen, _ := formattest.There(t, "GET", app.URL+"/session", "connect.sid="+strings.TrimPrefix(store.Reveal("abc"), "connect.sid="), "")
	var state struct{ Members map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(seen), &state); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if dropped, refused := string(state.Members[name]) != "1", store.Check(name, nil) != nil; dropped != refused {
			t.Errorf("%q: Express drops it: %v; we refuse it: %v", name, dropped, refused)
		}
	}
}

// The expiry in Redis is Express's.
func TestExpiry(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	app := testenv.StartNode(t, "express.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=s", "MAX_AGE=60000")
	store := open(t, r.Addr, &expressformat.Options{Secrets: []string{"s"}, MaxAge: time.Minute})
	cookies := formattest.Here(t, store, "", func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "ada") })
	if len(cookies) != 1 || cookies[0].MaxAge != 60 {
		t.Fatalf("%v", cookies)
	}
	key := r.Do("KEYS", "*").([]any)[0].(string)
	ttl := func() int64 { return r.Do("TTL", key).(int64) }
	if n := ttl(); n < 58 || n > 60 {
		t.Errorf("%d s", n)
	}
	r.Do("EXPIRE", key, "30")
	formattest.Here(t, store, formattest.Pairs(cookies), formattest.Owner("ada")) // extends, as Express does
	if n := ttl(); n < 58 || n > 60 {
		t.Errorf("after use here: %d s", n)
	}
	r.Do("EXPIRE", key, "30")
	text, _ := formattest.There(t, "GET", app.URL+"/session", formattest.Pairs(cookies), "")
	if n := ttl(); n < 58 || n > 60 || !strings.Contains(text, `"user":"ada"`) {
		t.Errorf("after use there: %d s, %s", n, text)
	}
}
