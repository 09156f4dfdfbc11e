package testenv

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

const (
	installNode  = "apt-get install nodejs npm (Node 20 or newer)"
	installPeers = "npm ci in internal/testenv/node"
)

// A Node is one application in JavaScript, of those in the folder node.
type Node struct {
	*Process
	URL string
}

// StartNode starts an application of the folder node, "express.js" or "koa.js", and
// waits until it listens. env are its settings, as in "SECRETS=one,two".
func StartNode(t TB, script string, env ...string) *Node {
	t.Helper()
	node := Binary(t, installNode, "node", "nodejs")
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "node")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "express")); err != nil {
		if Required() {
			t.Fatalf("the applications in JavaScript are not installed, and SOJOURN_REQUIRE_SERVICES=1: %s", installPeers)
		}
		t.Skipf("the applications in JavaScript are not installed: %s", installPeers)
	}
	port := Port(t)
	addr := Loopback(port)
	n := &Node{URL: fmt.Sprintf("http://%s", addr)}
	n.Process = Command(t, t.TempDir(), script, node, []string{filepath.Join(dir, script)}, append(env, "PORT="+strconv.Itoa(port), "NODE_ENV=production")...)
	n.Start()
	n.Ready(20*time.Second, func() error {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
		}
		return err
	})
	return n
}
