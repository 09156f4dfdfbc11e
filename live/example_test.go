package live_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/webapi"
)

// A chat in one topic: what a page sends goes to all that follow it, and the
// sender is told how many messages its session has sent.
func Example() {
	sent := sojourn.Counter("sent")
	var hub *live.Hub
	hub, err := live.New(&live.Options{
		Topics: func(context.Context, sojourn.Status) []string { return []string{"chat"} },
		OnMessage: func(ctx context.Context, m live.Message) (any, error) {
			if m.Type != "app.say" {
				return nil, live.ErrRejected
			}
			n, err := sent.Add(ctx, 1)
			if err != nil {
				return nil, err
			}
			return n, hub.Publish(ctx, live.ToTopic("chat"), "app.said", map[string]any{"who": m.Owner, "what": m.Data})
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sojourn.New(memstore.New(nil), &sojourn.Options{Observers: []sojourn.Observer{hub}})
	if err != nil {
		log.Fatal(err)
	}
	api, err := webapi.New(sessions, &webapi.Options{Live: hub})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/_session/", api)
	server := &http.Server{Handler: sessions.Handler(mux)}
	// At the end, since Shutdown does not know of live connections:
	fmt.Println(hub.Drain(context.Background()), server.Shutdown(context.Background()))
	// Output: <nil> <nil>
}
