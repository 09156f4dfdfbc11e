package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/testenv"
)

const dependencies = "../../internal/testenv/node"

// site starts Redis, the shop, the checkout and nginx, as the README does.
func site(t *testing.T) string {
	t.Helper()
	nginx := testenv.Binary(t, "apt-get install nginx", "nginx")
	node := testenv.Binary(t, "apt-get install nodejs npm (Node 20 or newer)", "node", "nodejs")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(here, dependencies, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "express")); err != nil {
		if testenv.Required() {
			t.Fatal("npm ci in internal/testenv/node")
		}
		t.Skip("npm ci in internal/testenv/node")
	}
	redis := "redis://" + testenv.StartRedis(t, nil).Addr
	port := testenv.Port(t)
	shop := testenv.Command(t, t.TempDir(), "shop", node, []string{filepath.Join(here, "shop.js")},
		"NODE_PATH="+modules, "PORT="+strconv.Itoa(port), "REDIS_URL="+redis, "NODE_ENV=production")
	shop.Start()
	shop.Ready(20*time.Second, answers(port))

	m, closeAll, err := open(redis, "keyboard cat")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeAll)
	app := httptest.NewServer(checkout(m))
	t.Cleanup(app.Close)

	conf, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	front, dir := testenv.Port(t), t.TempDir()
	text := strings.NewReplacer("127.0.0.1:8000", testenv.Loopback(front), "127.0.0.1:3000", testenv.Loopback(port), "http://127.0.0.1:8080", app.URL).Replace(string(conf))
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := testenv.Command(t, dir, "nginx", nginx, []string{"-p", dir, "-c", "nginx.conf"})
	proxy.Start()
	t.Cleanup(proxy.Stop) // its worker, too
	proxy.Ready(10*time.Second, answers(front))
	return "http://" + testenv.Loopback(front)
}

func answers(port int) func() error {
	return func() error {
		resp, err := http.Get("http://" + testenv.Loopback(port) + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
}

func TestShopAndCheckoutShareTheCart(t *testing.T) {
	base := site(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	page := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %s, %v", resp.Status, text, err)
		}
		return string(text)
	}
	shows := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s\ndoes not show %q", text, w)
			}
		}
	}
	post := func(path string, form url.Values) string {
		t.Helper()
		return page(browser.PostForm(base+path, form))
	}
	get := func(path string) string { t.Helper(); return page(browser.Get(base + path)) }

	post("/cart", url.Values{"item": {"tea"}})
	shows(post("/cart", url.Values{"item": {"tea"}}), "2 × tea")
	shows(get("/checkout"), "2 × tea", "log in")
	shows(post("/login", url.Values{"user": {"Ada"}}), "Hello Ada", "2 × tea")
	shows(get("/checkout"), "Ada pays 8 €")
	shows(post("/checkout", nil), "Cart: empty", "order-1 (8 €)", "Hello Ada")
	shows(post("/checkout", nil), "order-1 (8 €)") // a second click pays nothing
	post("/cart", url.Values{"item": {"honey"}})
	shows(post("/checkout", nil), "order-1 (8 €), order-2 (7 €)")
	post("/logout", nil)
	shows(get("/checkout"), "log in", "The cart is empty")

	resp, err := browser.PostForm(base+"/checkout", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("paying without a login: %s", resp.Status)
	}
}

// The test runs the shop with the tests' copies of its dependencies.
func TestDependenciesAreThoseOfTheTests(t *testing.T) {
	read := func(dir string) (p struct{ Dependencies map[string]string }) {
		text, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err == nil {
			err = json.Unmarshal(text, &p)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	tested := read(dependencies).Dependencies
	for name, version := range read(".").Dependencies {
		if tested[name] != version {
			t.Errorf("%s %s, tested with %q", name, version, tested[name])
		}
	}
}
