package flaskformat_test

import (
	"testing"

	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn/format/flaskformat"
	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memstore"
)

var values = map[string]string{
	"number": `[1,2.5,-7,123456789012345678901234567890,1.0]`,
	"text":   `"żółć 😀 \"quoted\" <b>&\u2028"`,
	"nested": `{"a":{"b":[{"c":null},true,false]},"z":{},"l":[]}`,
	"odd":    `{" t":[1],"":"empty name"}`,
	"tag":    `{" t":[1]}`,
}

func TestShareCookie(t *testing.T) {
	app := testenv.StartFlask(t, "SECRETS=new key")
	store, err := flaskformat.New(memstore.New(nil), &flaskformat.Options{Secrets: []string{"new key", "old key"}})
	if err != nil {
		t.Fatal(err)
	}
	formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values, NoIDChange: true, NoSlow: true})
}

func TestShareSession(t *testing.T) {
	for name, secrets := range map[string][]string{"signed": {"s3cret"}, "not signed": nil} {
		t.Run(name, func(t *testing.T) {
			r := testenv.StartRedis(t, nil)
			client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{r.Addr}, DisableCache: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			signed := "SIGNED=0"
			if secrets != nil {
				signed = "SIGNED=1"
			}
			app := testenv.StartFlask(t, "SECRETS=s3cret", "REDIS_URL=redis://"+r.Addr, signed)
			store, err := flaskformat.NewSession(rediskeeper.New(client, nil), memstore.New(nil), &flaskformat.SessionOptions{Secrets: secrets, Form: flaskformat.Pickle})
			if err != nil {
				t.Fatal(err)
			}
			formattest.Share(t, &formattest.Peer{URL: app.URL, Store: store, Values: values, NoDelete: true, Overwrites: true})
		})
	}
}
