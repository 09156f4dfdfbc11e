package koaformat_test

import (
	"testing"

	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/koaformat"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memstore"
)

var values = map[string]string{
	"number": `[1,2.5,-7,1e+21,9007199254740991]`,
	"text":   `"żółć 😀 \"quoted\" <b>&\u2028"`,
	"nested": `{"a":{"b":[{"c":null},true,false]},"z":{},"l":[]}`,
	"odd":    `{"length":3,"":"empty name"}`,
}

var keys = []string{"new key", "old key"}

func options() *koaformat.Options { return &koaformat.Options{Keys: keys, Owner: "user"} }

func redisClient(t *testing.T, addr string) rueidis.Client {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestShareSessionInCookie(t *testing.T) {
	app := testenv.StartNode(t, "koa.js", "SECRETS=new key,old key")
	store, err := koaformat.New(nil, memstore.New(nil), options())
	if err != nil {
		t.Fatal(err)
	}
	formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values, NoIDChange: true, NoFlash: true, NoSlow: true})
}

func TestShareSessionInStore(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	app := testenv.StartNode(t, "koa.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=new key,old key", "QUIET=1")
	store, err := koaformat.New(rediskeeper.New(redisClient(t, r.Addr), nil), memstore.New(nil), options())
	if err != nil {
		t.Fatal(err)
	}
	formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values, NoFlash: true})
	t.Run("reserved names are those of koa-session", func(t *testing.T) { reservedNames(t, r, app, store) })
}

func TestShareGeneric(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	app := testenv.StartNode(t, "koa.js", "MODE=generic", "REDIS_URL=redis://"+r.Addr, "SECRETS=new key,old key")
	store, err := koaformat.NewGeneric(rediskeeper.New(redisClient(t, r.Addr), nil), memstore.New(nil), options())
	if err != nil {
		t.Fatal(err)
	}
	formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values, NoFlash: true})
}
