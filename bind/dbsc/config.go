package dbsc

import (
	"encoding/json"
	"net/http"

	"github.com/sojournhq/sojourn"
)

// A config is what browsers are told about the binding (draft §9.6 to §9.9).
type config struct {
	ID          string       `json:"session_identifier"`
	RefreshURL  string       `json:"refresh_url"`
	Scope       scope        `json:"scope"`
	Credentials []credential `json:"credentials"`
}

type scope struct {
	IncludeSite bool   `json:"include_site"` // this origin only
	Rules       []rule `json:"scope_specification"`
}

type rule struct {
	Type   string `json:"type"`
	Domain string `json:"domain"`
	Path   string `json:"path"`
}

type credential struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Attributes string `json:"attributes"`
}

// configure answers with the cookie, the next challenge and the configuration.
func (b *Binder) configure(w http.ResponseWriter, st *sojourn.Status, k *binding) error {
	c := config{ID: k.name(), RefreshURL: b.refreshPath(), Scope: scope{Rules: []rule{}},
		Credentials: []credential{{"cookie", b.opt.Cookie, b.attributes}}}
	for _, path := range b.opt.Exclude {
		c.Scope.Rules = append(c.Scope.Rules, rule{"exclude", "*", path})
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	h := w.Header()
	if err := b.challenge(h, st, k); err != nil {
		return err
	}
	b.setCookie(h, st.ID, k, st.Now)
	private(h, "application/json")
	w.Write(body)
	return nil
}

// private keeps an answer out of caches and other origins' pages: it tells
// whether somebody is logged in (draft §5).
func private(h http.Header, contentType string) {
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// A problem is an error of RFC 9457. Code is for programs.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func refuse(w http.ResponseWriter, p problem) {
	body, _ := json.Marshal(struct {
		Title string `json:"title"`
		problem
	}{http.StatusText(p.Status), p})
	private(w.Header(), "application/problem+json")
	w.WriteHeader(p.Status)
	w.Write(body)
}
