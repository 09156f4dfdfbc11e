package expressformat_test

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/sqlkeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memstore"
)

// values are what JSON of JavaScript holds, and what is easily broken on the way.
var values = map[string]string{
	"number": `[1,2.5,-7,1e+21,9007199254740991]`,
	"text":   `"żółć 😀 \"quoted\" <b>&\u2028"`,
	"nested": `{"a":{"b":[{"c":null},true,false]},"z":{},"l":[]}`,
	"odd":    `{"__proto__":1,"length":3,"":"empty name"}`,
}

func redisClient(t *testing.T, addr string) rueidis.Client {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestConnectRedis(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	app := testenv.StartNode(t, "express.js", "REDIS_URL=redis://"+r.Addr, "SECRETS=new secret,old secret")
	t.Run("share", func(t *testing.T) {
		store := open(t, r.Addr, &expressformat.Options{Secrets: secrets})
		formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values})
	})
	t.Run("records beside", func(t *testing.T) { besideExpress(t, r, app) })
	t.Run("Express overwrites", func(t *testing.T) { expressOverwrites(t, r, app) })
	t.Run("reserved names are those of Express", func(t *testing.T) { reservedNames(t, r, app) })
}

var secrets = []string{"new secret", "old secret"}

func TestShareConnectPgSimple(t *testing.T) {
	p := testenv.StartPostgres(t)
	db, err := sql.Open("pgx", p.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`ALTER DATABASE postgres SET timezone TO 'Asia/Kolkata'`); err != nil { // of both
		t.Fatal(err)
	}
	app := testenv.StartNode(t, "express.js", "PG_URL="+p.AdminURL(), "SECRETS=secret")
	db.SetMaxIdleConns(0)
	keeper, err := sqlkeeper.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	store, err := expressformat.New(keeper, memstore.New(nil), &expressformat.Options{Secrets: []string{"secret"}, NoPrefix: true})
	if err != nil {
		t.Fatal(err)
	}
	formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values})
}
