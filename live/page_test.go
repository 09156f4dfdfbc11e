package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// A page is one browser profile: a cookie.
type page struct {
	*site
	cookie string
	id     sojourn.ID
	wait   int // of its polls, in seconds, if not 25
}

func (s *site) login(user string) *page {
	p := &page{site: s}
	p.relogin(user)
	return p
}

func (p *page) relogin(user string) {
	p.t.Helper()
	p.get("/login?user=" + user)
	p.id = sojourn.ID(p.get("/use"))
	if p.id == "" {
		p.t.Fatal("no session after login")
	}
}

// get makes a request that counts as use where the session is used.
func (p *page) get(path string) string {
	p.t.Helper()
	status, body := p.do("GET", path, "")
	if status != 200 {
		p.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	return body
}

func (p *page) api(method, path, body string, header ...string) (int, string) {
	p.t.Helper()
	return p.do(method, "/_session/v1/"+path, body, header...)
}

func (p *page) do(method, path, body string, header ...string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.cookie != "" {
		req.Header.Set("Cookie", p.cookie)
	}
	req.Header.Set("X-Session-CSRF", "1")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	p.keep(resp)
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func (p *page) keep(resp *http.Response) {
	for _, c := range resp.Cookies() {
		p.cookie = c.Name + "=" + c.Value
	}
}

func (p *page) status() (m map[string]any) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.get("/_session/v1/status")), &m); err != nil {
		p.t.Fatal(err)
	}
	return m
}

func (p *page) cursor() string { p.t.Helper(); return p.status()["cursor"].(string) }

// publish adds messages n to end-1 to the log of a session, by this node.
func (p *page) publish(id sojourn.ID, n, end int) {
	p.t.Helper()
	if p.hub == nil {
		p.get(fmt.Sprintf("/publish?id=%s&n=%d&end=%d", id, n, end))
		return
	}
	for ; n < end; n++ {
		if err := p.hub.Publish(context.Background(), live.ToSession(id), "app.n", n); err != nil {
			p.t.Error(err)
		}
	}
}
