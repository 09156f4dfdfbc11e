package webapi

import (
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"net/http"
	"slices"

	"github.com/sojournhq/sojourn"
)

// writtenBody is the answer to a write.
type writtenBody struct {
	Handle   string `json:"h"`
	Revision uint64 `json:"rev"`
}

// patch sets and deletes several members at once, or none of them.
func (a *API) patch(w http.ResponseWriter, r *http.Request, _ string) error {
	return a.write(w, r, func() (map[string]json.RawMessage, error) {
		b, err := a.body(w, r, mediaMergePatch, false)
		if err != nil {
			w.Header().Set("Accept-Patch", mediaMergePatch) // RFC 5789 §2.2
			return nil, err
		}
		return decodePatch(b)
	})
}

func (a *API) put(w http.ResponseWriter, r *http.Request, key string) error {
	return a.write(w, r, func() (map[string]json.RawMessage, error) {
		b, err := a.body(w, r, "application/json", false)
		if err != nil {
			return nil, err
		}
		value, err := checkJSON(b)
		return map[string]json.RawMessage{key: value}, err
	}, key)
}

func (a *API) remove(w http.ResponseWriter, r *http.Request, key string) error {
	return a.write(w, r, func() (map[string]json.RawMessage, error) {
		return map[string]json.RawMessage{key: nil}, nil
	}, key)
}

const mediaMergePatch = "application/merge-patch+json"

// decodePatch reads a merge patch (RFC 7396) as far as this API takes them: a
// null deletes a member, any other value replaces it whole.
func decodePatch(b []byte) (map[string]json.RawMessage, error) {
	changes, err := checkObject(b)
	for key, value := range changes {
		if string(value) == "null" {
			changes[key] = nil
		}
	}
	return changes, err
}

// write makes changes under the request's If-Match. Keys known from the path
// are checked before the body is read.
func (a *API) write(w http.ResponseWriter, r *http.Request, changes func() (map[string]json.RawMessage, error), keys ...string) error {
	s, st, err := a.active(w, r, activity)
	if err != nil {
		return err
	}
	want, err := readIfMatch(r)
	if err != nil {
		return err
	}
	if err := a.checkWritable(slices.Values(keys)); err != nil {
		return err
	}
	c, err := changes()
	if err != nil {
		return err
	}
	if err := a.checkWritable(maps.Keys(c)); err != nil {
		return err
	}
	if want.never {
		return a.conflict(w, r, st.ID)
	}
	rev, err := s.Patch(r.Context(), c, want.revision)
	switch {
	case errors.Is(err, sojourn.ErrConflict):
		return a.conflict(w, r, st.ID)
	case errors.Is(err, sojourn.ErrNotFound):
		if now, err := s.Status(r.Context()); err == nil && now.State == sojourn.StateEnded {
			return ended(now)
		}
		return err
	case err != nil:
		return err
	}
	w.Header().Set("ETag", etag(rev))
	writeJSON(w, http.StatusOK, "application/json", writtenBody{Handle: handle(st.ID), Revision: rev})
	return nil
}

func (a *API) checkWritable(keys iter.Seq[string]) error {
	for key := range keys {
		if !a.writable.has(key) {
			p := problemf(codeNotWritable, "Options.Writable does not name it; nothing was stored.")
			p.extra = map[string]any{"key": key}
			return p
		}
	}
	return nil
}

// conflict tells the page what it has to merge with: read again, as the
// request's session is as old as the request.
func (a *API) conflict(w http.ResponseWriter, r *http.Request, id sojourn.ID) error {
	s, err := a.manager.Open(r.Context(), id)
	if err != nil {
		return err
	}
	data, rev, err := a.visible(r, s)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(rev))
	p := problemf(codeRevConflict, "Merge with the data given here and send it again with If-Match: %s.", etag(rev))
	p.extra = map[string]any{"rev": rev, "data": data}
	return p
}
