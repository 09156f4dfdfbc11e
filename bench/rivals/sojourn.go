package rivals

import (
	"net/http"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

const (
	sojournName = sojourn.Key[string]("name")
	sojournHits = sojourn.Counter("hits")
)

type sojournSite struct{ sessions *sojourn.Manager }

func openSojourn() (Site, error) {
	sessions, err := sojourn.New(memstore.New(nil), nil)
	return sojournSite{sessions}, err
}

func (s sojournSite) Wrap(next http.Handler) http.Handler { return s.sessions.Handler(next) }

func (s sojournSite) SetName(_ http.ResponseWriter, r *http.Request, name string) error {
	return sojournName.Set(r.Context(), name)
}

func (s sojournSite) Name(r *http.Request) (string, error) { return sojournName.Get(r.Context()) }

func (s sojournSite) Hit(_ http.ResponseWriter, r *http.Request) (int64, error) {
	return sojournHits.Add(r.Context(), 1)
}
