package live_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/live"
)

// The configurations of docs/proxies work as they are, but for addresses and for
// timeouts, here a twentieth, like the pings: connections outlive several timeouts
// in silence, an event arrives at once, the end says why, and a page that goes is
// noticed. HTTP/1.1 and HTTP/2 to the client, both with TLS.
func TestBehindProxies(t *testing.T) {
	for name, start := range map[string]func(t *testing.T, addr string) *testenv.WebProxy{
		"nginx": func(t *testing.T, addr string) *testenv.WebProxy {
			return testenv.StartNginx(t, example(t, "nginx.conf"), "127.0.0.1:8080", addr, "60s", "3s")
		},
		"haproxy": func(t *testing.T, addr string) *testenv.WebProxy {
			return testenv.StartHAProxy(t, example(t, "haproxy.cfg"), "127.0.0.1:8080", addr, "60s", "3s", "maxconn 50000", "maxconn 1000", "GET /readyz", "GET /_session/v1/status")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for long
			s := newSite(t, settings{hub: live.Options{Ping: time.Second},
				rules: sojourn.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
			proxy := start(t, strings.TrimPrefix(s.base, "http://"))
			testenv.Eventually(t, "the proxy finds the server", 10*time.Second, func() error {
				resp, err := clientOf(proxy, false).Get("https://" + proxy.Addr + "/_session/v1/status")
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				if resp.StatusCode != 200 {
					return fmt.Errorf("%s", resp.Status)
				}
				return nil
			})
			var visits []*visit
			for _, transport := range transports {
				visits = append(visits, begin(t, proxy, transport, false))
				if transport != "ws" {
					visits = append(visits, begin(t, proxy, transport, true))
				}
			}
			time.Sleep(7 * time.Second) // more than two timeouts of the proxy
			for _, v := range visits {
				t.Run(v.name, func(t *testing.T) { v.finish(t, s) })
			}
			testenv.Eventually(t, "pages that go are noticed", 10*time.Second, func() error {
				if n := s.hub.Connections(); n > 0 {
					return fmt.Errorf("%d connections", n)
				}
				return nil
			})
		})
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../docs/proxies/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func clientOf(proxy *testenv.WebProxy, h2 bool) *http.Client {
	transport := &http.Transport{TLSClientConfig: proxy.TLS.Clone(), ForceAttemptHTTP2: h2, DisableKeepAlives: !h2}
	if !h2 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return &http.Client{Transport: transport}
}

// A visit is a page behind a proxy.
type visit struct {
	name string
	*page
	link *link
}

func begin(t *testing.T, proxy *testenv.WebProxy, transport string, h2 bool) *visit {
	t.Helper()
	front := &site{t: t, base: "https://" + proxy.Addr, client: clientOf(proxy, h2)}
	t.Cleanup(front.client.CloseIdleConnections)
	v := &visit{name: transport + " over HTTP/1.1", page: front.login(transport)}
	if v.wait = 1; h2 {
		v.name = transport + " over HTTP/2"
	}
	resp := v.request(t.Context(), "status")
	resp.Body.Close()
	if got := resp.ProtoMajor == 2; got != h2 {
		t.Fatalf("the proxy speaks %s", resp.Proto)
	}
	v.mustConnect(transport, v.cursor()).drop() // one that goes
	v.link = v.mustConnect(transport, v.cursor())
	return v
}

func (v *visit) finish(t *testing.T, back *site) {
	for n := range 3 {
		at := time.Now()
		(&page{site: back}).publish(v.id, n, n+1)
		m := v.link.want(t, "app.n")
		if took := time.Since(at); took > time.Second || string(m.Data) != fmt.Sprint(n) {
			t.Errorf("%s after %v", m.Data, took)
		}
	}
	if err := back.manager.Revoke(context.Background(), v.id, sojourn.ReasonRevoked); err != nil {
		t.Fatal(err)
	}
	if v.link.closed(t); v.link.code != 4402 && v.link.code != 401 {
		t.Errorf("ended with %d %s", v.link.code, v.link.reason)
	}
}
