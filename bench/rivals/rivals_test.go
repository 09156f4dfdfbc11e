package rivals

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Every library really keeps what it is given, so that the table compares the
// same work.
func TestLibrariesKeepWhatTheyAreGiven(t *testing.T) {
	for _, l := range Libraries {
		t.Run(l.Name, func(t *testing.T) {
			site, err := l.Open()
			if err != nil {
				t.Fatal(err)
			}
			cookies := map[string]string{}
			h := site.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var answer any
				var err error
				switch r.URL.Path {
				case "/set":
					err = site.SetName(w, r, r.URL.Query().Get("name"))
				case "/hit":
					answer, err = site.Hit(w, r)
				case "/name":
					answer, err = site.Name(r)
				}
				fmt.Fprint(w, answer, err)
			}))
			ask := func(path, want string) {
				t.Helper()
				r := httptest.NewRequest("GET", "https://shop.example"+path, nil)
				for name, value := range cookies {
					r.AddCookie(&http.Cookie{Name: name, Value: value})
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				for _, c := range w.Result().Cookies() {
					cookies[c.Name] = c.Value
				}
				if got := w.Body.String(); got != want {
					t.Errorf("%s answered %q, expected %q", path, got, want)
				}
			}
			ask("/name", "<nil>")
			if len(cookies) > 0 {
				t.Errorf("a visitor who stores nothing got a cookie")
			}
			ask("/set?name=Ada", "<nil> <nil>")
			ask("/hit", "1 <nil>")
			ask("/name", "Ada<nil>")
			ask("/hit", "2 <nil>")
			ask("/set?name=Grace", "<nil> <nil>")
			ask("/name", "Grace<nil>")
			ask("/hit", "3 <nil>")
			clear(cookies)
			ask("/name", "<nil>")
		})
	}
}

// Every scenario does with every library what its name says.
func TestScenarios(t *testing.T) {
	for _, sc := range Scenarios {
		for _, l := range Libraries {
			t.Run(sc.Name+"/"+l.Name, func(t *testing.T) {
				site, err := l.Open()
				if err != nil {
					t.Fatal(err)
				}
				r, err := sc.Request(site)
				if err != nil {
					t.Fatal(err)
				}
				if got := r.Header.Get("Cookie") != ""; got != sc.Cookie {
					t.Errorf("cookie sent: %t, expected %t", got, sc.Cookie)
				}
				w := httptest.NewRecorder()
				site.Wrap(sc.Handler(site)).ServeHTTP(w, r)
				if w.Code != http.StatusOK || w.Body.String() != "ok" {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				begun := len(w.Result().Cookies()) > 0
				if strings.HasPrefix(sc.Name, "new") != begun && !strings.Contains(sc.Name, "write") { // a write sends gorilla's cookie anew
					t.Errorf("a session was begun: %t", begun)
				}
			})
		}
	}
}

// A handler that fails is reported, not measured.
func TestFailuresAreNoResults(t *testing.T) {
	broken := Scenario{"broken", false, func(Site) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken on purpose", 500) }
	}}
	if c, err := measure(broken, 0, time.Microsecond); err == nil || !strings.Contains(err.Error(), "broken on purpose") {
		t.Errorf("measured %v, %v", c, err)
	}
}

func TestTable(t *testing.T) {
	rows, _, err := Run(2, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(Scenarios)*len(Libraries) {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		if !strings.HasPrefix(r.Scenario, "anonymous") && (r.Over <= 0 || r.Allocs <= 0 || r.Bytes <= 0 || r.Bare <= 1) {
			t.Errorf("a session costs nothing? %+v", r)
		}
	}
	var b strings.Builder
	if err := Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(b.String(), "\n"); lines != 2+len(rows) {
		t.Errorf("%d lines:\n%s", lines, &b)
	}
}
