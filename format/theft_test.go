package format_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/store/memstore"
)

// Where a user's sessions cannot be ended all, at least the one that looks stolen
// is.
func TestTheftWithoutAList(t *testing.T) {
	keep := newShelf()
	keep.put("abc", record, time.Now().Add(time.Hour))
	store, err := expressformat.New(keep, memstore.New(nil), &expressformat.Options{Secrets: []string{"secret"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.New(store, &sojourn.Options{Signals: func(*http.Request, string, sojourn.Status) (string, []string) {
		return "revoke-all", []string{"network"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", store.Reveal("abc"))
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := sojourn.From(r.Context())
		if st, err := s.Status(r.Context()); err != nil || st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonSuspect {
			t.Errorf("%+v, %v", st, err)
		}
	})).ServeHTTP(w, r)
	if w.Code != 200 || keep.get("abc") != "" {
		t.Errorf("%d, the record is %q", w.Code, keep.get("abc"))
	}
}
