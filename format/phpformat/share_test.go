package phpformat_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/filekeeper"
	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/memcachekeeper"
	"github.com/sojournhq/sojourn/format/phpformat"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memstore"
)

// values are what PHP and JSON both hold; PHP has no empty object.
var values = map[string]string{
	"number": `[1,2.5,-7,9007199254740993,1.0]`,
	"text":   `"żółć 😀 \"quoted\" <b>&\u2028"`,
	"nested": `{"a":{"b":[{"c":null},true,false]},"l":[]}`,
	"odd":    `{"__proto__":1,"length":3,"":"empty name","07":1}`,
}

func share(t *testing.T, keeper format.Keeper, opt phpformat.Options, settings ...string) *formattest.Peer {
	t.Helper()
	app := testenv.StartPHP(t, settings...)
	store, err := phpformat.New(keeper, memstore.New(nil), &opt)
	if err != nil {
		t.Fatal(err)
	}
	return &formattest.Peer{URL: app.URL, Store: store, Values: values, NoFlash: true, NoSlow: opt.Locked}
}

func TestShareFiles(t *testing.T) {
	for _, handler := range phpformat.Handlers {
		t.Run(string(handler), func(t *testing.T) {
			dir := t.TempDir()
			keeper, err := filekeeper.New(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			formattest.Share(t, share(t, keeper, phpformat.Options{Handler: handler, Prefix: phpformat.PrefixFiles, Locked: true},
				"session.save_handler=files", "session.save_path="+dir, "session.serialize_handler="+string(handler)))
		})
	}
}

func TestShareRedis(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{r.Addr}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	settings := []string{"session.save_handler=redis", "session.save_path=tcp://" + r.Addr}
	t.Run("without locks", func(t *testing.T) {
		formattest.Share(t, share(t, rediskeeper.New(client, nil), phpformat.Options{}, settings...))
	})
	t.Run("with locks", func(t *testing.T) {
		keeper := rediskeeper.New(client, &rediskeeper.Options{LockSuffix: "_LOCK"})
		formattest.Share(t, share(t, keeper, phpformat.Options{Locked: true}, append(settings,
			"redis.session.locking_enabled=1", "redis.session.lock_retries=-1", "redis.session.lock_wait_time=2000", "redis.session.lock_expire=20")...))
	})
}

func TestShareMemcached(t *testing.T) {
	m := testenv.StartMemcached(t)
	client := memcache.New(m.Addr)
	client.MaxIdleConns = 16
	t.Cleanup(func() { client.Close() })
	keeper := memcachekeeper.New(client, &memcachekeeper.Options{LockPrefix: phpformat.PrefixMemcached})
	formattest.Share(t, share(t, keeper, phpformat.Options{Prefix: phpformat.PrefixMemcached, Locked: true, Handler: phpformat.Igbinary},
		"session.save_handler=memcached", "session.save_path="+m.Addr, "session.serialize_handler=igbinary", "memcached.sess_lock_retries=100", "memcached.sess_lock_wait_min=10", "memcached.sess_lock_wait_max=50"))
}

// What only PHP can hold survives writes of ours: objects, enums, bytes, and that
// two members are one variable.
func TestObjectsSurvive(t *testing.T) {
	for _, handler := range phpformat.Handlers {
		t.Run(string(handler), func(t *testing.T) {
			dir := t.TempDir()
			keeper, err := filekeeper.New(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			p := share(t, keeper, phpformat.Options{Handler: handler, Prefix: phpformat.PrefixFiles, Locked: true},
				"session.save_handler=files", "session.save_path="+dir, "session.serialize_handler="+string(handler))
			b := browse(t, p)
			b.do("POST", p.URL+"/set?key=first", `[1,2,3]`)
			b.do("POST", p.URL+"/objects", "")
			b.do("POST", b.here+"/set?key=first", `{"now":["longer",1,2,3,4]}`)
			b.do("POST", b.here+"/delete?key=first", "")
			b.do("POST", b.here+"/set?key=last", `"x"`)
			var s formattest.State
			if err := json.Unmarshal([]byte(b.do("GET", b.here+"/session", "")), &s); err != nil {
				t.Fatal(err)
			}
			for key, want := range map[string]string{"cart": `{"@class":"Cart","items:Cart:private":["tea"],"total:protected":2.5}`, "suit": `{"@enum":"Suit:Hearts"}`,
				"a": `{"deep":1}`, "b": `{"deep":1}`, "bytes": `{"@bytes":"AP8="}`, "last": `"x"`} {
				if got := string(s.Members[key]); got != want {
					t.Errorf("%s is %s, expected %s", key, got, want)
				}
			}
			var dump string
			if err := json.Unmarshal([]byte(b.do("GET", p.URL+"/objects", "")), &dump); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"object(Cart)(2)", `string(3) "tea"`, "enum(Suit::Hearts)", "int(2)", `"00ff"`, "object(DateTimeImmutable)"} {
				if !strings.Contains(dump, want) {
					t.Errorf("PHP finds no %s in\n%s", want, dump)
				}
			}
		})
	}
}

// A request of PHP holds its lock; a write of ours waits for it, and both stay.
func TestLocksAreTaken(t *testing.T) {
	dir := t.TempDir()
	files, err := filekeeper.New(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := testenv.StartRedis(t, nil)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{r.Addr}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	m := testenv.StartMemcached(t)
	cache := memcache.New(m.Addr)
	t.Cleanup(func() { cache.Close() })
	for name, p := range map[string]*formattest.Peer{
		"files": share(t, files, phpformat.Options{Prefix: phpformat.PrefixFiles, Locked: true}, "session.save_handler=files", "session.save_path="+dir),
		"redis": share(t, rediskeeper.New(client, &rediskeeper.Options{LockSuffix: "_LOCK"}), phpformat.Options{Locked: true},
			"session.save_handler=redis", "session.save_path=tcp://"+r.Addr, "redis.session.locking_enabled=1", "redis.session.lock_expire=20"),
		"memcached": share(t, memcachekeeper.New(cache, &memcachekeeper.Options{LockPrefix: phpformat.PrefixMemcached}),
			phpformat.Options{Prefix: phpformat.PrefixMemcached, Locked: true}, "session.save_handler=memcached", "session.save_path="+m.Addr),
	} {
		t.Run(name, func(t *testing.T) {
			b := browse(t, p)
			b.do("POST", p.URL+"/login?user=ada", "")
			reached, release := make(chan bool), make(chan bool)
			gate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				reached <- true
				<-release
			}))
			defer gate.Close()
			slow, ours := make(chan string), make(chan string)
			go func() { slow <- b.do("POST", p.URL+"/slow?key=slow&gate="+url.QueryEscape(gate.URL), `"there"`) }()
			<-reached
			go func() { ours <- b.do("POST", b.here+"/set?key=go", `"here"`) }()
			select {
			case <-ours:
				t.Error("the write did not wait for PHP's lock")
			case <-time.After(300 * time.Millisecond):
			}
			close(release)
			<-slow
			<-ours
			for _, side := range []string{p.URL, b.here} {
				var s formattest.State
				if err := json.Unmarshal([]byte(b.do("GET", side+"/session", "")), &s); err != nil {
					t.Fatal(err)
				}
				if string(s.Members["slow"]) != `"there"` || string(s.Members["go"]) != `"here"` || s.User != "ada" {
					t.Errorf("%s: %s %s", side, s.User, s.Members)
				}
			}
		})
	}
}

// PHP as web servers run it.
func TestShareFPM(t *testing.T) {
	dir := t.TempDir()
	keeper, err := filekeeper.New(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	store, err := phpformat.New(keeper, memstore.New(nil), &phpformat.Options{Prefix: phpformat.PrefixFiles, Locked: true})
	if err != nil {
		t.Fatal(err)
	}
	app := testenv.StartFPM(t, "session.save_handler=files", "session.save_path="+dir)
	formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values, NoFlash: true, NoSlow: true})
}

// A browser between PHP and an application of ours.
type browser struct {
	t      *testing.T
	here   string
	client *http.Client
}

func browse(t *testing.T, p *formattest.Peer) *browser {
	t.Helper()
	m, err := sojourn.New(p.Store, &sojourn.Options{InsecureSkipOriginCheck: true, LoadTimeout: 10 * time.Second, CommitTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	here := httptest.NewServer(m.Handler(formattest.App(m)))
	t.Cleanup(func() {
		here.Close()
		m.Close()
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, here.URL, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

func (b *browser) do(method, url, body string) string {
	b.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		b.t.Error(err)
		return ""
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		b.t.Errorf("%s %s: %s: %s (%v)", method, url, resp.Status, text, err)
	}
	return string(text)
}
