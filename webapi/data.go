package webapi

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/sojournhq/sojourn"
)

// dataBody is the part of a session that its page may read.
type dataBody struct {
	Handle   string                     `json:"h"`
	Revision uint64                     `json:"rev"`
	Data     map[string]json.RawMessage `json:"data"`
}

// readAll and readOne are background reads: the SDK fetches data when it is
// told of a change, which is nothing the user did.
func (a *API) readAll(w http.ResponseWriter, r *http.Request, _ string) error {
	s, st, err := a.active(w, r, background)
	if err != nil {
		return err
	}
	b := dataBody{Handle: handle(st.ID)}
	if b.Data, b.Revision, err = a.visible(r, s); err != nil {
		return err
	}
	w.Header().Set("ETag", etag(b.Revision))
	writeJSON(w, http.StatusOK, "application/json", b)
	return nil
}

func (a *API) readOne(w http.ResponseWriter, r *http.Request, key string) error {
	s, _, err := a.active(w, r, background)
	if err != nil {
		return err
	}
	if !a.readable.has(key) {
		return problemf(codeNotReadable, "Options.Readable does not name it.")
	}
	data, rev, err := a.visible(r, s)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(rev))
	value, ok := data[key]
	if !ok {
		return problemf(codeNoMember, "It is not set.")
	}
	writeJSON(w, http.StatusOK, "application/json", value)
	return nil
}

// visible returns the readable members and their revision.
func (a *API) visible(r *http.Request, s *sojourn.Session) (map[string]json.RawMessage, uint64, error) {
	members, rev, err := s.Members(r.Context())
	if err != nil {
		return nil, 0, err
	}
	data := make(map[string]json.RawMessage, len(members))
	for key, value := range members {
		if a.readable.has(key) {
			data[key] = value
		}
	}
	return data, rev, nil
}

func etag(rev uint64) string { return `"` + strconv.FormatUint(rev, 10) + `"` }
