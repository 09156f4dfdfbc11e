package live_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/live/pgplane"
	"github.com/sojournhq/sojourn/live/redisplane"
	"github.com/sojournhq/sojourn/store/redisstore"
	"github.com/sojournhq/sojourn/store/sqlstore/postgres"
)

// A nodeConfig is what a server process is told by its environment.
type nodeConfig struct {
	Listen, Store, Plane string
	Retention            live.Retention
	Recheck              time.Duration
	Ping                 time.Duration
}

const nodeEnv = "SOJOURN_TEST_NODE"

// TestNode is one server of a fleet, in a process of its own that runs until it
// is killed.
func TestNode(t *testing.T) {
	text := os.Getenv(nodeEnv)
	if text == "" {
		t.Skip("a part of the tests of several processes")
	}
	var c nodeConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	newSite(t, settings{listen: c.Listen, store: openStore(t, c.Store), hub: live.Options{
		Backplane: openPlane(t, c.Plane, c.Retention), Retention: c.Retention, Recheck: c.Recheck, Ping: c.Ping,
		Topics: func(context.Context, sojourn.Status) []string { return []string{"news"} },
	}})
	select {}
}

func openStore(t testing.TB, url string) sojourn.Store {
	t.Helper()
	var s sojourn.Store
	var err error
	if strings.HasPrefix(url, "redis") {
		s, err = redisstore.Open(t.Context(), url, nil)
	} else {
		s, err = postgres.Open(t.Context(), url, &postgres.Options{Conns: 8})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openPlane(t testing.TB, url string, keep live.Retention) live.Backplane {
	t.Helper()
	var p live.Backplane
	var err error
	if strings.HasPrefix(url, "redis") {
		p, err = redisplane.Open(t.Context(), url, &redisplane.Options{Retention: keep})
	} else {
		p, err = pgplane.Open(t.Context(), url, &pgplane.Options{Retention: keep})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A node is a server process and the way to it.
type node struct {
	*site
	*testenv.Process
}

// startNode starts a server in a process of its own and waits until it answers.
func startNode(t *testing.T, c nodeConfig) *node {
	t.Helper()
	c.Listen = cmp.Or(c.Listen, testenv.Loopback(testenv.Port(t)))
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(client.CloseIdleConnections)
	n := &node{
		site:    &site{t: t, base: "http://" + c.Listen, client: client},
		Process: testenv.Command(t, t.TempDir(), "node", os.Args[0], []string{"-test.run=^TestNode$", "-test.timeout=10m"}, nodeEnv+"="+string(config)),
	}
	n.Start()
	n.ready()
	return n
}

func (n *node) ready() {
	n.t.Helper()
	n.Ready(30*time.Second, func() error {
		resp, err := n.client.Get(n.base + "/_session/v1/status")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 {
			return fmt.Errorf("%d %s", resp.StatusCode, b)
		}
		return nil
	})
}

// engines are the servers that stores and backplanes of a fleet are kept in: each
// starts one and returns its URL and its address.
var engines = []struct {
	name  string
	start func(t *testing.T) (url, addr string)
}{
	{"redis", func(t *testing.T) (string, string) {
		r := testenv.StartRedis(t, nil)
		return "redis://" + r.Addr, r.Addr
	}},
	{"postgres", func(t *testing.T) (string, string) {
		p := testenv.StartPostgres(t)
		return p.AdminURL(), p.Addr
	}},
}

// P12: with two and three real server processes, each connection reaching any of
// them over any transport, while one is killed in the middle of it: every message
// once and in order, or the page is told. The same with either backplane.
func TestP12NoSilentGapAcrossProcesses(t *testing.T) {
	for _, e := range engines {
		for _, count := range []int{2, 3} {
			t.Run(fmt.Sprintf("%s-%d", e.name, count), func(t *testing.T) {
				url, _ := e.start(t)
				var nodes []*site
				var last *node
				for range count {
					last = startNode(t, nodeConfig{Store: url, Plane: url, Retention: live.Retention{Events: 20}})
					nodes = append(nodes, last.site)
				}
				for round := range *rounds {
					if round > 0 {
						last.Start()
						last.ready()
					}
					recover12(t, round, nodes, 1000, 40, last.Kill)
				}
			})
		}
	}
}

// Presence and topics reach across processes; a process that is killed takes its
// pages with it.
func TestPresenceAcrossProcesses(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel() // it waits for long
			url, _ := e.start(t)
			a, b := startNode(t, nodeConfig{Store: url, Plane: url}), startNode(t, nodeConfig{Store: url, Plane: url})
			ada, bob := a.login("ada"), b.login("bob")
			links := []*link{ada.mustConnect("ws", ""), bob.mustConnect("sse", "")}
			for _, where := range []*page{ada, bob} {
				for query, want := range map[string]int{"owner=ada": 1, "owner=bob": 1, "owner=eve": 0, "topic=news": 2, "topic=other": 0} {
					if got := where.present(query); len(got) != want {
						t.Errorf("%s: %v, want %d", query, got, want)
					}
				}
			}
			b.Kill()
			links[1].closed(t)
			testenv.Eventually(t, "the pages of the killed process are gone", 40*time.Second, func() error {
				if got := ada.present("topic=news"); len(got) != 1 || got[0] != ada.id {
					return fmt.Errorf("present: %v", got)
				}
				return nil
			})
			links[0].drop()
		})
	}
}

func (p *page) present(query string) (ids []sojourn.ID) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.get("/present?"+query)), &ids); err != nil {
		p.t.Fatal(err)
	}
	return ids
}
