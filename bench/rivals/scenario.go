package rivals

import (
	"fmt"
	"net/http"
	"net/http/httptest"
)

// A Scenario is one kind of request.
type Scenario struct {
	Name    string
	Cookie  bool // the client comes with a session
	Handler func(Site) http.HandlerFunc
}

const visitor = "Ada Lovelace"

var body = []byte("ok")

// Bare is the handler that all others are compared with.
func Bare(w http.ResponseWriter, _ *http.Request) { w.Write(body) }

// Scenarios are those measured.
var Scenarios = []Scenario{
	{"anonymous: no cookie, session not used", false, func(Site) http.HandlerFunc { return Bare }},
	{"read: one value", true, func(s Site) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name, err := s.Name(r)
			if err != nil || name != visitor {
				http.Error(w, fmt.Sprintf("read %q, %v", name, err), http.StatusInternalServerError)
				return
			}
			w.Write(body)
		}
	}},
	{"read and write: a counter", true, func(s Site) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if n, err := s.Hit(w, r); err != nil || n < 2 {
				http.Error(w, fmt.Sprintf("hit %d, %v", n, err), http.StatusInternalServerError)
				return
			}
			w.Write(body)
		}
	}},
	{"new: no cookie, one value set", false, func(s Site) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := s.SetName(w, r, visitor); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Write(body)
		}
	}},
}

// Request is what the scenario's client sends to s, with a session that holds
// both values if it needs one.
func (sc Scenario) Request(s Site) (*http.Request, error) {
	r := newRequest()
	if !sc.Cookie {
		return r, nil
	}
	w := httptest.NewRecorder()
	s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := s.SetName(w, r, visitor)
		if err == nil {
			_, err = s.Hit(w, r)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})).ServeHTTP(w, r)
	cookies := w.Result().Cookies()
	if w.Code != http.StatusOK || len(cookies) == 0 {
		return nil, fmt.Errorf("rivals: no session begun: %d %s", w.Code, w.Body)
	}
	last := cookies[len(cookies)-1] // gorilla sends one at each Save
	r = newRequest()
	r.Header.Set("Cookie", "theme=dark; "+last.Name+"="+last.Value)
	return r, nil
}

func newRequest() *http.Request {
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	return r
}
