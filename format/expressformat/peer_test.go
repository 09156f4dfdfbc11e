package expressformat_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memstore"
)

// there asks the real application.
func there(t *testing.T, method, url, cookie, body string) (text string, cookies []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %s: %s, %v", url, resp.Status, all, err)
	}
	return string(all), resp.Cookies()
}

// here runs f in a request of ours.
func here(t *testing.T, store sojourn.Store, cookie string, f func(ctx context.Context, s *sojourn.Session) error) []*http.Cookie {
	t.Helper()
	m, err := sojourn.New(store, &sojourn.Options{InsecureSkipOriginCheck: true, LoadTimeout: 5 * time.Second, CommitTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, err := sojourn.From(r.Context())
		if err == nil {
			err = f(r.Context(), s)
		}
		if err != nil {
			t.Error(err)
		}
	})).ServeHTTP(w, r)
	m.Close()
	if w.Code != 200 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	return w.Result().Cookies()
}

func open(t *testing.T, addr string, opt *expressformat.Options) *format.Store {
	t.Helper()
	store, err := expressformat.New(rediskeeper.New(redisClient(t, addr), nil), memstore.New(nil), opt)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func pair(cookies []*http.Cookie) string {
	if len(cookies) == 0 {
		return ""
	}
	return cookies[0].Name + "=" + cookies[0].Value
}

func owner(want string) func(context.Context, *sojourn.Session) error {
	return func(ctx context.Context, s *sojourn.Session) error {
		got, err := s.Owner(ctx)
		if err == nil && got != want {
			err = sojourn.ErrNotFound
		}
		return err
	}
}

// The applications replace their secrets one after the other: nobody is logged out,
// and what is old is not signed anew, as there.
func TestSecretsRotate(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	before := testenv.StartNode(t, "express.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=old")
	_, cookies := there(t, "POST", before.URL+"/login?user=ada", "", "")
	old := pair(cookies)
	store := open(t, r.Addr, &expressformat.Options{Secrets: []string{"new", "old"}})
	if sent := here(t, store, old, owner("ada")); len(sent) != 0 {
		t.Errorf("%v", sent)
	}
	fresh := pair(here(t, store, old, func(ctx context.Context, s *sojourn.Session) error { return s.RenewNow(ctx) }))
	after := testenv.StartNode(t, "express.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=new")
	if text, _ := there(t, "GET", after.URL+"/session", fresh, ""); !strings.Contains(text, `"user":"ada"`) {
		t.Error(text)
	}
	if sent := here(t, open(t, r.Addr, &expressformat.Options{Secrets: []string{"new"}}), old, owner("")); len(sent) != 0 {
		t.Errorf("%v", sent)
	}
}

// What the docs warn of: a request of Express that has read before our write, and
// changes something, undoes it. What is kept beside its record is safe.
func expressOverwrites(t *testing.T, r *testenv.Redis, app *testenv.Node) {
	_, cookies := there(t, "POST", app.URL+"/login?user=ada", "", "")
	cookie := pair(cookies)
	store := open(t, r.Addr, &expressformat.Options{Secrets: secrets, Store: &format.Options{Own: []string{"go_*"}}})
	gate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		here(t, store, cookie, func(ctx context.Context, _ *sojourn.Session) error {
			if err := sojourn.Key[int]("ours").Set(ctx, 1); err != nil {
				return err
			}
			return sojourn.Key[int]("go_ours").Set(ctx, 1)
		})
	}))
	defer gate.Close()
	there(t, "POST", app.URL+"/slow?key=theirs&gate="+url.QueryEscape(gate.URL), cookie, "1")
	here(t, store, cookie, func(ctx context.Context, s *sojourn.Session) error {
		members, _, err := s.Members(ctx)
		if string(members["theirs"]) != "1" || string(members["go_ours"]) != "1" {
			t.Errorf("%s", members)
		}
		if members["ours"] != nil {
			t.Errorf("Express no longer overwrites: the warning is out of date")
		}
		return err
	})
	if text, _ := there(t, "GET", app.URL+"/session", cookie, ""); strings.Contains(text, "go_ours") {
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
	seen, _ := there(t, "GET", app.URL+"/session", "connect.sid="+strings.TrimPrefix(store.Reveal("abc"), "connect.sid="), "")
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
	cookies := here(t, store, "", func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "ada") })
	if len(cookies) != 1 || cookies[0].MaxAge != 60 {
		t.Fatalf("%v", cookies)
	}
	key := r.Do("KEYS", "*").([]any)[0].(string)
	ttl := func() int64 { return r.Do("TTL", key).(int64) }
	if n := ttl(); n < 58 || n > 60 {
		t.Errorf("%d s", n)
	}
	r.Do("EXPIRE", key, "30")
	here(t, store, pair(cookies), owner("ada")) // extends, as Express does
	if n := ttl(); n < 58 || n > 60 {
		t.Errorf("after use here: %d s", n)
	}
	r.Do("EXPIRE", key, "30")
	text, _ := there(t, "GET", app.URL+"/session", pair(cookies), "")
	if n := ttl(); n < 58 || n > 60 || !strings.Contains(text, `"user":"ada"`) {
		t.Errorf("after use there: %d s, %s", n, text)
	}
}
