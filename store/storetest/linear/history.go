package linear

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/sojournhq/sojourn"
)

const (
	clients = 4
	each    = 10 // operations of a client
)

// A history is what some clients asked for and were told, and when.
type history struct {
	opt     Options
	owner   string
	ids     [records]sojourn.ID
	began   time.Time
	hangUps float64 // how likely a client does not wait
	rng     *rand.Rand

	mu     sync.Mutex
	events []event
	wrote  map[string]write // by payload
	errs   []error          // answers that no model has to be asked about
}

type event struct {
	client        int
	call          call
	answer        answer
	called, ended time.Duration
	version       uint64 // of what was written, or seen
	known         write  // whose version it is, 0 for none
	knownOf       int
}

func newHistory(seed uint64, opt Options) *history {
	rng := rand.New(rand.NewPCG(seed, 0))
	h := &history{
		opt:   opt,
		owner: fmt.Sprintf("linear-%016x", rng.Uint64()),
		rng:   rng,
		wrote: map[string]write{},
	}
	if rng.IntN(2) == 0 { // half of the histories have patient clients only: their order is stricter
		h.hangUps = 0.15
	}
	for i := range h.ids {
		// The shape of the IDs of package sojourn: the owner's tag, then 16 random bytes.
		sum := sha256.Sum256([]byte("sojourn owner\x00" + h.owner))
		raw := binary.LittleEndian.AppendUint64(sum[:6:6], rng.Uint64())
		h.ids[i] = sojourn.ID(base64.RawURLEncoding.EncodeToString(binary.LittleEndian.AppendUint64(raw, rng.Uint64())))
	}
	return h
}

// play lets the clients loose on the store. Its error is an answer that is wrong
// in every order.
func (h *history) play(ctx context.Context, s sojourn.Store) error {
	h.began = time.Now()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range clients {
		c := &client{history: h, number: i, store: s, rng: rand.New(rand.NewPCG(h.rng.Uint64(), uint64(i)))}
		wg.Go(func() {
			<-start
			for range each {
				c.next(ctx)
			}
		})
	}
	close(start)
	wg.Wait()
	slices.SortFunc(h.events, func(a, b event) int { return int(a.called - b.called) })
	if len(h.errs) > 0 {
		return fmt.Errorf("%w\n%v", errors.Join(h.errs...), h)
	}
	return nil
}

// newWrite gives the next write its number and a payload that nobody else has.
func (h *history) newWrite() (write, []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := write(len(h.wrote) + 1)
	payload := fmt.Appendf(nil, "%s write %d", h.owner, w)
	h.wrote[string(payload)] = w
	return w, payload
}

// newTombstone is newWrite for a Revoke, whose payload the core encodes: its
// time makes it unique.
func (h *history) newTombstone(r *sojourn.RevokedRecord) write {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := write(len(h.wrote) + 1)
	r.At = r.At.Add(time.Duration(w) * time.Second)
	h.wrote[string(r.Tombstone().Payload)] = w
	return w
}

// holds tells whose a payload is.
func (h *history) holds(payload []byte) (write, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w, ok := h.wrote[string(payload)]
	return w, ok
}

func (h *history) fail(format string, args ...any) {
	h.mu.Lock()
	h.errs = append(h.errs, fmt.Errorf(format, args...))
	h.mu.Unlock()
}

func (h *history) record(e event) {
	h.mu.Lock()
	h.events = append(h.events, e)
	h.mu.Unlock()
}

// operations are the events as porcupine takes them. What was lost ends after
// everything else; a load that was lost says nothing.
func (h *history) operations() []porcupine.Operation {
	var last time.Duration
	lostRevokes := map[write]bool{}
	for _, e := range h.events {
		last = max(last, e.ended)
		if e.call.kind == revoke && e.answer.verdict == lost {
			lostRevokes[e.call.writes] = true
		}
	}
	var ops []porcupine.Operation
	add := func(e event) {
		ops = append(ops, porcupine.Operation{ClientId: e.client, Input: e.call, Output: e.answer, Call: int64(e.called), Return: int64(e.ended)})
	}
	for _, e := range h.events {
		if e.answer.verdict == lost {
			if e.call.kind == load || e.call.kind == list {
				continue
			}
			e.ended = last + 1
		}
		e.answer.known = h.opt.KnownEnds && lostRevokes[e.answer.seen.holds]
		switch e.call.kind {
		case create:
			e.call.apart = h.opt.EarlyStamp && e.answer.verdict != exists
		case load, update, rotate, end:
			e.call.apart = h.opt.LateGeneration && e.answer.seen.holds != 0 && !e.answer.seen.dead
		}
		add(e)
		if e.call.apart && e.answer.verdict != lost {
			e.call = call{kind: readGeneration}
			add(e)
		}
	}
	return ops
}

// versions checks that each write has one version and each version one write.
func (h *history) versions() error {
	type of struct {
		session int
		write   write
	}
	type at struct {
		session int
		version uint64
	}
	versions, writes := map[of]uint64{}, map[at]write{}
	for _, e := range h.events {
		if e.known == 0 {
			continue
		}
		if v, ok := versions[of{e.knownOf, e.known}]; ok && v != e.version {
			return fmt.Errorf("write %d of session %d has the versions %d and %d", e.known, e.knownOf, v, e.version)
		}
		if w, ok := writes[at{e.knownOf, e.version}]; ok && w != e.known {
			return fmt.Errorf("version %d of session %d is of the writes %d and %d", e.version, e.knownOf, w, e.known)
		}
		versions[of{e.knownOf, e.known}], writes[at{e.knownOf, e.version}] = e.version, e.known
	}
	return nil
}

// String is the history for people.
func (h *history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "owner %s, sessions %q\n", h.owner, h.ids)
	for _, e := range h.events {
		fmt.Fprintf(&b, "%10.3f – %10.3f ms  client %d  %v → %v\n", ms(e.called), ms(e.ended), e.client, e.call, e.answer)
	}
	return b.String()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (c call) String() string {
	switch c.kind {
	case list, revokeOwner:
		return string(c.kind)
	case load:
		return fmt.Sprintf("load %d", c.session)
	case touch:
		return fmt.Sprintf("touch %d until %d", c.session, c.expires)
	case create, revoke:
		return fmt.Sprintf("%s %d (write %d, until %d)", c.kind, c.session, c.writes, c.expires)
	}
	return fmt.Sprintf("%s %d of write %d (write %d, until %d, generation %d)", c.kind, c.session, c.base, c.writes, c.expires, c.generation)
}

func (a answer) String() string {
	text := string(a.verdict)
	if a.seen.holds != 0 {
		what := "live"
		if a.seen.dead {
			what = "dead"
		}
		text += fmt.Sprintf(" %s write %d, until %d, generation %d", what, a.seen.holds, a.seen.expires, a.seen.generation.n)
	}
	if a.owners != 0 {
		text += fmt.Sprintf(", owner's %d", a.owners)
	}
	if a.listed != [records]bool{} {
		text += fmt.Sprintf(" %v", a.listed)
	}
	return text
}

// A Summary counts answers by kind: "update done", "update conflict", "lost", ….
type Summary map[string]int

func (s Summary) add(h *history) {
	for _, e := range h.events {
		if e.answer.verdict == lost {
			s["lost"]++
		} else {
			s[string(e.call.kind)+" "+string(e.answer.verdict)]++
		}
	}
}

func (s Summary) total() (n int) {
	for _, each := range s {
		n += each
	}
	return n
}

// missing are the answers that a run must have seen to prove something.
func (s Summary) missing() (names []string) {
	for _, name := range []string{
		"create done", "create exists", "load done", "load notFound", "update done", "update conflict", "update notFound",
		"rotate done", "rotate conflict", "end done", "touch done", "revoke done", "revokeOwner done", "lost",
	} {
		if s[name] == 0 {
			names = append(names, name)
		}
	}
	return names
}
