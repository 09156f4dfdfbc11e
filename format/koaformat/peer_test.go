package koaformat_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/koaformat"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memstore"
)

func must(t *testing.T) func(*format.Store, error) *format.Store {
	return func(s *format.Store, err error) *format.Store {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// A cookie that an old key has signed gets a new signature at once, as there, and
// a key that is gone is gone.
func TestKeysRotate(t *testing.T) {
	before := testenv.StartNode(t, "koa.js", "SECRETS=old")
	_, cookies := formattest.There(t, "POST", before.URL+"/login?user=ada", "", "")
	old := formattest.Pairs(cookies)
	store := must(t)(koaformat.New(nil, memstore.New(nil), &koaformat.Options{Keys: []string{"new", "old"}, Owner: "user"}))
	sent := formattest.Here(t, store, old, formattest.Owner("ada"))
	if len(sent) != 2 {
		t.Fatalf("%v", sent)
	}
	after := testenv.StartNode(t, "koa.js", "SECRETS=new")
	if text, _ := formattest.There(t, "GET", after.URL+"/session", formattest.Pairs(sent), ""); !strings.Contains(text, `"user":"ada"`) {
		t.Error(text)
	}
	if text, _ := formattest.There(t, "GET", after.URL+"/session", old, ""); !strings.Contains(text, `"user":""`) {
		t.Error(text)
	}
	if again := formattest.Here(t, store, formattest.Pairs(sent), formattest.Owner("ada")); len(again) != 0 {
		t.Errorf("%v", again)
	}
	formattest.Here(t, must(t)(koaformat.New(nil, memstore.New(nil), &koaformat.Options{Keys: []string{"new"}, Owner: "user"})), old, formattest.Owner(""))
}

// What begins with "_", and what Session has itself, is not kept by koa-session.
func reservedNames(t *testing.T, r *testenv.Redis, app *testenv.Node, store *format.Store) {
	for name, refused := range map[string]bool{"_x": true, "isNew": true, "maxAge": true, "externalKey": true, "length": true, "populated": true,
		"toJSON": true, "save": true, "commit": true, "regenerate": true, "__proto__": true,
		"user": false, "cookie": false, "x_": false, "name": false, "toString": false, "size": false} {
		record, _ := json.Marshal(map[string]any{"_expire": time.Now().Add(time.Hour).UnixMilli(), "_maxAge": 86400000, name: 1})
		r.Do("SET", "abc", string(record))
		req, _ := http.NewRequest("POST", app.URL+"/set?key=other", strings.NewReader("2")) // makes it save
		req.Header.Set("Cookie", store.Reveal("abc"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		saved, _ := r.Do("GET", "abc").(string)
		var members map[string]json.RawMessage
		_ = json.Unmarshal([]byte(saved), &members)
		if dropped := resp.StatusCode != 200 || string(members[name]) != "1"; dropped && !refused {
			t.Errorf("%q: koa-session loses it (%d, %s), and we allow it", name, resp.StatusCode, saved)
		}
		if (store.Check(name, nil) != nil) != refused {
			t.Errorf("%q: %v", name, store.Check(name, nil))
		}
	}
}

// The expiry in Redis is the other system's, and only what it extends is extended.
func TestExpiry(t *testing.T) {
	for _, c := range []struct {
		name    string
		env     []string
		open    func(format.Keeper, *koaformat.Options) (*format.Store, error)
		opt     koaformat.Options
		ttl     int64
		extends bool
	}{
		{"session", nil, func(k format.Keeper, o *koaformat.Options) (*format.Store, error) {
			return koaformat.New(k, memstore.New(nil), o)
		}, koaformat.Options{MaxAge: time.Minute}, 70, false},
		{"session, rolling", []string{"ROLLING=1"}, func(k format.Keeper, o *koaformat.Options) (*format.Store, error) {
			return koaformat.New(k, memstore.New(nil), o)
		}, koaformat.Options{MaxAge: time.Minute, Rolling: true}, 70, true},
		{"generic", []string{"MODE=generic"}, func(k format.Keeper, o *koaformat.Options) (*format.Store, error) {
			return koaformat.NewGeneric(k, memstore.New(nil), o)
		}, koaformat.Options{MaxAge: time.Minute}, 60, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := testenv.StartRedis(t, nil)
			app := testenv.StartNode(t, "koa.js", append(c.env, "REDIS_URL=redis://"+r.Addr, "SECRETS=new key", "MAX_AGE=60000")...)
			c.opt.Keys, c.opt.Owner = keys[:1], "user"
			store := must(t)(c.open(rediskeeper.New(redisClient(t, r.Addr), nil), &c.opt))
			cookies := formattest.Here(t, store, "", func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "ada") })
			if len(cookies) != 2 || cookies[0].MaxAge != 60 {
				t.Fatalf("%v", cookies)
			}
			key := r.Do("KEYS", "*").([]any)[0].(string)
			near := func(what string, want int64) {
				t.Helper()
				if n := r.Do("TTL", key).(int64); n < want-3 || n > want {
					t.Errorf("%s: %d s, expected %d", what, n, want)
				}
			}
			near("new", c.ttl)
			r.Do("EXPIRE", key, "40")
			want := int64(40)
			if c.extends {
				want = c.ttl
			}
			formattest.Here(t, store, formattest.Pairs(cookies), formattest.Owner("ada"))
			near("after use here", want)
			r.Do("EXPIRE", key, "40")
			text, _ := formattest.There(t, "GET", app.URL+"/session", formattest.Pairs(cookies), "")
			if near("after use there", want); !strings.Contains(text, `"user":"ada"`) {
				t.Error(text)
			}
			formattest.Here(t, store, formattest.Pairs(cookies), func(ctx context.Context, _ *sojourn.Session) error { return sojourn.Key[int]("n").Set(ctx, 1) })
			near("after a write here", c.ttl)
		})
	}
}

// A session that ends with the browser has no deadline in its store, there as here.
func TestBrowserSession(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	app := testenv.StartNode(t, "koa.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=new key", "MAX_AGE=session")
	store := must(t)(koaformat.New(rediskeeper.New(redisClient(t, r.Addr), nil), memstore.New(nil),
		&koaformat.Options{Keys: keys[:1], Owner: "user", BrowserSession: true}))
	_, cookies := formattest.There(t, "POST", app.URL+"/set?key=user", "", `"ada"`)
	formattest.Here(t, store, formattest.Pairs(cookies), func(ctx context.Context, s *sojourn.Session) error {
		if err := formattest.Owner("ada")(ctx, s); err != nil {
			return err
		}
		return sojourn.Key[int]("n").Set(ctx, 1)
	})
	ours := formattest.Here(t, store, "", func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "bob") })
	if len(ours) != 2 || ours[0].MaxAge != 0 {
		t.Errorf("%v", ours)
	}
	if text, _ := formattest.There(t, "GET", app.URL+"/session", formattest.Pairs(ours), ""); !strings.Contains(text, `"user":"bob"`) {
		t.Error(text)
	}
	for _, key := range r.Do("KEYS", "*").([]any) {
		if n := r.Do("TTL", key.(string)); n != int64(-1) {
			t.Errorf("%s: %v s", key, n)
		}
	}
}
