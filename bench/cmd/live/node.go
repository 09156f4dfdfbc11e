package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/bench/env"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// A node is a server process and the way to it.
type node struct {
	*testenv.Process
	addr string
}

func startNode(e *env.Env, store, plane string, more ...string) *node {
	program, err := os.Executable()
	if err != nil {
		e.Fatalf("%v", err)
	}
	n := &node{addr: testenv.Loopback(testenv.Port(e))}
	n.Process = testenv.Command(e, e.TempDir(), "server", program, append([]string{"-role", "server", "-listen", n.addr, "-store", store, "-plane", plane}, more...))
	n.Start()
	n.Ready(20*time.Second, func() error {
		_, err := n.get("/stats")
		return err
	})
	return n
}

func (n *node) get(path string) (string, error) {
	resp, err := http.Get("http://" + n.addr + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != 200 {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, b)
	}
	return string(b), err
}

func (n *node) mint(e *env.Env, count int, owner string) []string {
	text, err := n.get(fmt.Sprintf("/mint?n=%d&owner=%s", count, owner))
	if err != nil {
		e.Fatalf("%v", err)
	}
	tokens := strings.Fields(text)
	if len(tokens) != count {
		e.Fatalf("%d sessions began, not %d", len(tokens), count)
	}
	return tokens
}

// stats are those of the server as it is, or after a collection.
func (n *node) stats(e *env.Env, collect bool) (s stats) {
	path := "/stats"
	if collect {
		path += "?gc=1"
	}
	text, err := n.get(path)
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		e.Fatalf("%v", err)
	}
	return s
}

func (n *node) publish(e *env.Env, owner string) {
	if _, err := n.get("/publish?owner=" + owner); err != nil {
		e.Fatalf("%v", err)
	}
}
