package live

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Hub keeps the connections of pages to this process. It observes the
// Manager whose sessions it serves. Methods are safe for parallel use.
type Hub struct {
	opt   Options
	plane Backplane

	// Set by Attach.
	manager  *sojourn.Manager
	face     Face
	logger   *slog.Logger
	attached atomic.Bool

	mu       sync.Mutex
	sessions map[sojourn.ID]*session // with connections, or with some a moment ago
	jobs     map[string]*job
	tending  bool // a goroutine looks after the sessions
	deaf     *time.Timer

	connections atomic.Int64
	busy        atomic.Int64 // connections and goroutines that Drain waits for
	draining    atomic.Bool
	hurry       chan struct{} // closed with the first Drain
	drainOnce   sync.Once
	rereads     chan struct{} // bounds the store reads under way
	connecting  chan struct{} // bounds the pages that are being connected
}

// New returns a hub that is to be named in sojourn.Options.Observers and to be
// given to package webapi, which attaches it. opt may be nil. It starts nothing.
func New(opt *Options) (*Hub, error) {
	h := &Hub{sessions: make(map[sojourn.ID]*session), jobs: make(map[string]*job), rereads: make(chan struct{}, 16), connecting: make(chan struct{}, connecting), hurry: make(chan struct{})}
	if opt != nil {
		h.opt = *opt
	}
	if err := h.opt.settle(); err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	if h.plane = h.opt.Backplane; h.plane == nil {
		h.plane = newMemory(h.opt.Retention)
	}
	return h, nil
}

// A Face is what pages are shown of a session: what the API beside the hub
// shows them.
type Face struct {
	// Status encodes a status as JSON.
	Status func(sojourn.Status) json.RawMessage
	// Readable reports whether pages may read a member.
	Readable func(key string) bool
	// WarnBefore is how long before the end a page warns.
	WarnBefore time.Duration
}

// Attach makes the hub serve m's sessions. Call it once, before any request:
// webapi.New does.
func (h *Hub) Attach(m *sojourn.Manager, face Face) error {
	rules := m.Options()
	observed := false
	for _, o := range rules.Observers {
		if own, ok := o.(*Hub); ok && own == h {
			observed = true
		}
	}
	switch {
	case !observed:
		return fmt.Errorf("live: %w: the hub is not among the Manager's Options.Observers, so it would learn nothing", sojourn.ErrInvalid)
	case face.Status == nil || face.Readable == nil || face.WarnBefore <= 0:
		return fmt.Errorf("live: %w: Face is incomplete", sojourn.ErrInvalid)
	case !h.attached.CompareAndSwap(false, true):
		return fmt.Errorf("live: %w: the hub is attached already", sojourn.ErrInvalid)
	}
	h.manager, h.face, h.logger = m, face, rules.Logger
	if err := h.plane.Start(health{h}); err != nil {
		return fmt.Errorf("live: start the backplane: %w", err)
	}
	return nil
}

// Connections is how many this process holds.
func (h *Hub) Connections() int { return int(h.connections.Load()) }

// Transports are the names of the transports, for the status of a session.
func (h *Hub) Transports() []string { return []string{"ws", "sse", "poll"} }

func ownerTag(owner string) string { return "owner:" + owner }
func topicTag(topic string) string { return "topic:" + topic }

// tags are what a session is reached by besides its ID.
func (h *Hub) tags(r *http.Request, st sojourn.Status) (tags []string) {
	if st.Owner != "" {
		tags = append(tags, ownerTag(st.Owner))
	}
	if h.opt.Topics != nil {
		for _, topic := range h.opt.Topics(r.Context(), st) {
			tags = append(tags, topicTag(topic))
		}
	}
	return tags
}

// Cursor is the newest position of a session's log, for its status: a page that
// connects with it misses nothing that happens after the status was made. The
// log is made if there is none.
func (h *Hub) Cursor(r *http.Request, st sojourn.Status) (string, error) {
	p, err := h.plane.Open(r.Context(), st.ID, h.tags(r, st))
	if err != nil {
		return "", fmt.Errorf("live: cursor: %w", err)
	}
	return p.String(), nil
}
