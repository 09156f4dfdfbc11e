package webapi

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// Every code of the table is what some request gets, and tells nothing of the
// token or of members that are not the page's.
func TestEveryProblemIsReachable(t *testing.T) {
	var log bytes.Buffer
	hub, err := live.New(&live.Options{MaxPerSession: 1, MaxConnections: 2})
	if err != nil {
		t.Fatal(err)
	}
	all := &Options{Readable: []string{"cart", "seen"}, Writable: []string{"cart"}, AllowDevices: true, MaxBody: 4 << 10, Live: hub}
	s := newSite(t, all, func(o *sojourn.Options) {
		o.MaxRecord = 2 << 10
		o.Observers = append(o.Observers, hub)
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	const canary = "canary5150"
	ada := func() *page {
		p := s.login("ada")
		p.want(p.do("POST", "/set?key=hidden&value="+canary, ""), 200)
		return p
	}
	put := func(body string, header ...string) func(p *page) *httptest.ResponseRecorder {
		return func(p *page) *httptest.ResponseRecorder { return p.do("PUT", "data/cart", body, header...) }
	}
	get := func(path string) func(p *page) *httptest.ResponseRecorder {
		return func(p *page) *httptest.ResponseRecorder { return p.do("GET", path, "") }
	}
	hold := func(p *page) { // a poll that waits
		cursor := p.status()["cursor"].(string)
		ctx, cancel := context.WithCancel(t.Context())
		held := make(chan struct{})
		before := hub.Connections()
		go func() {
			defer close(held)
			r := httptest.NewRequestWithContext(ctx, "GET", "https://example.com"+defaultPrefix+"poll?cursor="+cursor, nil)
			r.Header.Set("Cookie", p.cookie)
			s.handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
		p.t.Cleanup(func() { cancel(); <-held })
		for hub.Connections() == before {
			time.Sleep(time.Millisecond)
		}
	}
	type request = func(p *page) *httptest.ResponseRecorder
	guarded := func(path string, tune func(o *sojourn.Options), guard func(m *sojourn.Manager, h http.Handler) http.Handler, user string) request {
		return func(p *page) *httptest.ResponseRecorder {
			other := newSite(p.t, &Options{}, tune)
			mux := http.NewServeMux()
			mux.Handle("/guarded", guard(other.manager, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				session, err := sojourn.From(r.Context())
				if err == nil {
					err = session.Login(r.Context(), "ada")
				}
				if err != nil {
					other.manager.Error(w, r, err)
				}
			})))
			before := other.login("ada")
			other.handler = other.manager.Handler(mux)
			visitor := &page{site: other, t: p.t}
			if user != "" {
				visitor.cookie = before.cookie
			}
			return visitor.do("POST", path, "")
		}
	}
	open := func(_ *sojourn.Manager, h http.Handler) http.Handler { return h }
	reach := map[code]request{
		codeStepUpRequired:   guarded("/guarded", func(*sojourn.Options) {}, func(m *sojourn.Manager, h http.Handler) http.Handler { return m.Require(2, 0, h) }, "ada"),
		codeCSRFTokenInvalid: guarded("/guarded", func(*sojourn.Options) {}, func(m *sojourn.Manager, h http.Handler) http.Handler { return m.RequireCSRF(h) }, "ada"),
		codeSessionLimit:     guarded("/guarded", func(o *sojourn.Options) { o.MaxSessions = 1 }, open, ""),
		codeRateLimited:      guarded("/guarded", func(o *sojourn.Options) { o.MaxCreations = 1 }, open, ""),
		codeMalformedJSON:    put(`{"`+canary+`":1,"`+canary+`":2}`, "If-Match", "*"),
		codeInvalidRequest:   put(`"`+canary+`"`, "If-Match", canary),
		codeSessionNone: func(p *page) *httptest.ResponseRecorder {
			return p.do("GET", "data", "", "Cookie", "-")
		},
		codeSessionEnded: func(p *page) *httptest.ResponseRecorder {
			s.advance(time.Hour)
			return p.do("GET", "data", "")
		},
		codeCSRFHeaderMissing: put(`"`+canary+`"`, "If-Match", "*", headerCSRF, "-"),
		codeCrossSite:         put(`"`+canary+`"`, "If-Match", "*", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"),
		codeNotReadable:       get("data/hidden"),
		codeNotWritable: func(p *page) *httptest.ResponseRecorder {
			return p.do("PUT", "data/seen", `"`+canary+`"`, "If-Match", "*")
		},
		codeNotFound: get("nowhere/" + canary),
		codeNoMember: get("data/seen"),
		codeNoDevice: func(p *page) *httptest.ResponseRecorder { return p.do("DELETE", "devices/AAAA", "") },
		codeMethodNotAllowed: func(p *page) *httptest.ResponseRecorder {
			return p.do("POST", "status", "")
		},
		codeAbsoluteLimit: func(p *page) *httptest.ResponseRecorder {
			for range 47 { // 7 h 50 min of 8 h
				s.advance(10 * time.Minute)
				p.do("POST", "extend", "")
			}
			s.advance(time.Minute)
			return p.do("POST", "extend", `{"cause":"user"}`)
		},
		codeSessionChanged:       put("1", "If-Match", "*", headerHandle, "AAAAAAAAAAAAAAAA"),
		codeRevConflict:          put(`"`+canary+`"`, "If-Match", `"999"`),
		codeBodyTooLarge:         put(`"`+strings.Repeat(canary, 500)+`"`, "If-Match", "*"),
		codeSessionTooLarge:      put(`"`+strings.Repeat(canary, 300)+`"`, "If-Match", "*"),
		codeUnsupportedMediaType: put(`"`+canary+`"`, "If-Match", "*", "Content-Type", "text/plain"),
		codePreconditionRequired: put(`"` + canary + `"`),
		codeHeadersTooLarge: func(p *page) *httptest.ResponseRecorder {
			return p.do("GET", "data", "", "Cookie", p.cookie+"; x="+strings.Repeat("x", 33<<10))
		},
		codeInternal: func(p *page) *httptest.ResponseRecorder {
			p.site = &site{t: p.t, handler: s.api} // not below Manager.Handler
			return p.do("GET", "status", "")
		},
		codeUnsupported: func(p *page) *httptest.ResponseRecorder {
			s.store.noIndex.Store(true)
			defer s.store.noIndex.Store(false)
			return p.do("GET", "devices", "")
		},
		codeMessageRejected: func(p *page) *httptest.ResponseRecorder {
			return p.do("POST", "send", `{"type":"app.x","data":"`+canary+`"}`)
		},
		codeTooManyConnections: func(p *page) *httptest.ResponseRecorder {
			hold(p)
			return p.do("GET", "poll", "")
		},
		codeServerBusy: func(p *page) *httptest.ResponseRecorder {
			hold(p)
			other := ada()
			other.t = p.t
			hold(other)
			return p.do("GET", "events", "")
		},
		codeStoreUnavailable: func(p *page) *httptest.ResponseRecorder {
			s.store.down.Store(true)
			defer s.store.down.Store(false)
			return p.do("GET", "status", "")
		},
	}
	for c := range codes {
		request, ok := reach[c]
		if !ok {
			t.Errorf("%s: no request reaches it", c)
			continue
		}
		t.Run(string(c), func(t *testing.T) {
			p := ada()
			p.t = t
			token := p.cookie[strings.IndexByte(p.cookie, '=')+1:]
			w := request(p)
			p.fails(w, c)
			if text := w.Body.String() + strings.Join(w.Header().Values("Location"), ""); strings.Contains(text, token) || strings.Contains(text, canary) {
				t.Errorf("the answer tells what it must not: %s", text)
			}
			if strings.Contains(log.String(), token) || strings.Contains(log.String(), canary) {
				t.Errorf("the log tells what it must not: %s", log.String())
			}
		})
	}
	if !strings.Contains(log.String(), "request failed") {
		t.Errorf("an internal error was not logged: %q", log.String())
	}
}

// docs/protocol.md lists the codes with their status and title.
func TestProblemsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| <a id=\"([a-z_]+)\"></a>`([a-z_]+)` \\| (\\d+) \\| (.+?) \\|")
	documented := map[code]bool{}
	for _, m := range row.FindAllStringSubmatch(string(doc), -1) {
		c := code(m[2])
		entry, ok := codes[c]
		if !ok || m[1] != m[2] || m[3] != strconv.Itoa(entry.status) || m[4] != entry.title {
			t.Errorf("the row of %s says %v; the table %v", c, m[3:], entry)
		}
		documented[c] = true
	}
	for c := range codes {
		if !documented[c] {
			t.Errorf("%s is not documented", c)
		}
	}
}

// The status is the one the Manager chose.
func TestErrorHandlerStatus(t *testing.T) {
	for status, err := range map[int]error{
		401: sojourn.ErrNotFound, 403: sojourn.ErrCrossSite, 413: sojourn.ErrTooLarge, 431: sojourn.ErrTooLarge,
		500: sojourn.ErrCorrupt, 503: sojourn.ErrConflict,
	} {
		w := httptest.NewRecorder()
		ErrorHandler(w, httptest.NewRequest("GET", "/", nil), status, fmt.Errorf("sojourn: commit: %w", err))
		if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: %d, want %d", err, w.Code, status)
		}
	}
}

func TestErrorHandlerKeepsRetryAfter(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Retry-After", "7")
	ErrorHandler(w, httptest.NewRequest("GET", "/", nil), http.StatusServiceUnavailable, sojourn.ErrUnavailable)
	if w.Code != 503 || w.Header().Get("Retry-After") != "7" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
