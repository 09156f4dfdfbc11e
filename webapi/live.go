package webapi

import (
	"encoding/json"
	"net/http"

	"github.com/sojournhq/sojourn/live"
)

// liveRoute is the live connection: package live answers, in the name of this
// API.
func (a *API) liveRoute(name string) map[string]handler {
	if name == "send" {
		return map[string]handler{http.MethodPost: a.send}
	}
	serve := map[string]func(http.ResponseWriter, *http.Request) error{
		"ws": a.opt.Live.WebSocket, "events": a.opt.Live.Events, "poll": a.opt.Live.Poll,
	}[name]
	get := func(w http.ResponseWriter, r *http.Request, _ string) error {
		if r.Method == http.MethodHead { // it would wait for an end that may be far
			w.Header().Set("Allow", "GET, OPTIONS")
			return problemf(codeMethodNotAllowed, "This resource answers GET.")
		}
		return serve(w, r)
	}
	return map[string]handler{http.MethodGet: get}
}

// send takes a message where there is no WebSocket to send it over. It is no
// activity of the user: it may be a timer's.
func (a *API) send(w http.ResponseWriter, r *http.Request, _ string) error {
	_, st, err := a.active(w, r, background)
	if err != nil {
		return err
	}
	fields, err := a.fields(w, r)
	if err != nil {
		return err
	}
	m := live.Message{Session: st.ID, ID: r.Header.Get("Idempotency-Key"), Data: fields["data"]}
	if !field(fields, "type", &m.Type) || m.Type == "" {
		return problemf(codeInvalidRequest, `Expected {"type":"app.…","data":…}.`)
	}
	reply, err := a.opt.Live.Receive(r.Context(), m)
	if err != nil {
		return err
	}
	body := struct {
		Data json.RawMessage `json:"data,omitempty"`
	}{reply}
	writeJSON(w, http.StatusOK, "application/json", body)
	return nil
}
