package live_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// A reading backplane remembers what it was given.
type reading struct {
	live.Backplane
	mu   sync.Mutex
	data []string
}

func (r *reading) Append(ctx context.Context, ids []sojourn.ID, e live.Event) error {
	r.mu.Lock()
	r.data = append(r.data, string(e.Data))
	r.mu.Unlock()
	return r.Backplane.Append(ctx, ids, e)
}

// With NoValues the backplane learns which members changed, and not what they hold.
func TestNoValues(t *testing.T) {
	for _, keep := range []bool{false, true} {
		plane := &reading{Backplane: live.InProcess(live.Retention{})}
		s := newSite(t, settings{hub: live.Options{Backplane: plane, NoValues: keep}})
		p := s.login("ada")
		l := p.mustConnect("ws", p.cursor())
		if status, body := p.api("PATCH", "data", `{"cart":"a secret"}`, "If-Match", "*", "Content-Type", "application/merge-patch+json"); status != 200 {
			t.Fatal(status, body)
		}
		m := l.want(t, "session.data")
		if !strings.Contains(string(m.Data), `"keys":["cart"]`) || strings.Contains(string(m.Data), "a secret") == keep {
			t.Errorf("NoValues %v: %s", keep, m.Data)
		}
		plane.mu.Lock()
		if all := strings.Join(plane.data, " "); strings.Contains(all, "a secret") == keep {
			t.Errorf("NoValues %v: the backplane was given %s", keep, all)
		}
		plane.mu.Unlock()
		l.drop()
	}
}
