package live

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

var _ sojourn.Observer = (*Hub)(nil)

// A job is what is to be told of one session, or of all of an owner, after the
// request that caused it has gone on. There is one per session at a time, so
// changes that come in quick succession leave as one event.
type job struct {
	id    sojourn.ID
	owner string // where all of its sessions may have ended
	todo  todo
	hurry chan struct{} // the end does not wait
}

type todo struct {
	keys     []string
	extended bool
	rotated  bool
	ended    bool
	reason   sojourn.Reason
	keep     sojourn.ID // of owner's
	check    bool       // owner's sessions
}

// changeGap is the least time between two events of changed data.
const changeGap = 25 * time.Millisecond

// Observe turns what happens to a session into events of its log. It costs next
// to nothing for a session that no page follows.
func (h *Hub) Observe(_ context.Context, e sojourn.Event) {
	if !h.attached.Load() {
		return
	}
	if e.Kind == sojourn.EventOwnerRevoked {
		h.task(&job{owner: e.Owner}, func(t *todo) {
			if t.check = true; e.ID != "" {
				t.keep = e.ID
			}
		})
		return
	}
	if e.ID == "" || !h.plane.Known(e.ID) {
		return
	}
	switch e.Kind {
	case sojourn.EventRenewed:
		h.task(&job{id: e.ID}, func(t *todo) { t.rotated = true })
	case sojourn.EventExtended:
		h.task(&job{id: e.ID}, func(t *todo) { t.extended = true })
	case sojourn.EventEnded:
		h.task(&job{id: e.ID}, func(t *todo) { t.ended, t.reason = true, e.Reason })
	case sojourn.EventChanged:
		var keys []string
		for _, key := range e.Keys {
			if h.face.Readable(key) {
				keys = append(keys, key)
			}
		}
		if len(keys) > 0 {
			h.task(&job{id: e.ID}, func(t *todo) {
				for _, key := range keys {
					if !slices.Contains(t.keys, key) {
						t.keys = append(t.keys, key)
					}
				}
			})
		}
	}
}

// task adds to the job of a session or an owner, which runs until all is done.
func (h *Hub) task(j *job, add func(*todo)) {
	name := "session:" + string(j.id)
	if j.id == "" {
		name = ownerTag(j.owner)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if running := h.jobs[name]; running != nil {
		if add(&running.todo); running.todo.ended {
			select {
			case running.hurry <- struct{}{}:
			default:
			}
		}
		return
	}
	j.hurry = make(chan struct{}, 1)
	add(&j.todo)
	h.jobs[name] = j
	h.busy.Add(1)
	go h.run(name, j)
}

func (h *Hub) run(name string, j *job) {
	defer h.busy.Add(-1)
	for {
		h.mu.Lock()
		t := j.todo
		j.todo = todo{}
		none := !t.ended && !t.check && !t.rotated && !t.extended && t.keys == nil
		if none {
			delete(h.jobs, name)
		}
		h.mu.Unlock()
		if none {
			return
		}
		if err := h.perform(context.Background(), j, t); err != nil {
			h.logger.LogAttrs(context.Background(), slog.LevelWarn, "live: pages could not be told; they find out by themselves",
				slog.String("session", j.id.Masked()), slog.Any("error", err))
		}
		if t.keys != nil {
			wait := time.NewTimer(changeGap)
			select {
			case <-wait.C:
			case <-j.hurry:
				wait.Stop()
			}
		}
	}
}

func (h *Hub) perform(ctx context.Context, j *job, t todo) error {
	if t.check {
		return h.checkOwner(ctx, j.owner, t.keep)
	}
	ids := []sojourn.ID{j.id}
	var failed error
	if t.rotated {
		failed = h.plane.Append(ctx, ids, Event{Type: typeRotated, At: time.Now()})
	}
	if (t.extended || t.keys != nil) && !t.ended && !h.followed(ctx, j.id) {
		return failed // nobody to read the session for
	}
	if t.extended && !t.ended {
		failed = errors.Join(failed, h.tellExtended(ctx, ids))
	}
	if t.keys != nil && !t.ended {
		failed = errors.Join(failed, h.tellData(ctx, ids, t.keys))
	}
	if t.ended {
		failed = errors.Join(failed, h.conclude(ctx, j.id, t.reason))
	}
	return failed
}

// followed reports whether a session has a log, as far as the backplane tells.
func (h *Hub) followed(ctx context.Context, id sojourn.ID) bool {
	page, err := h.plane.Read(ctx, id, Position{})
	return err != nil || page.Position.Epoch != ""
}

func (h *Hub) tellExtended(ctx context.Context, ids []sojourn.ID) error {
	st, err := h.manager.Inspect(ctx, ids[0])
	if err != nil || st.State != sojourn.StateActive {
		return err // its end is told by its own event
	}
	now := time.Now()
	return h.plane.Append(ctx, ids, Event{Type: typeExtended, At: now, Expires: now.Add(st.IdleRemaining), Absolute: now.Add(st.AbsoluteRemaining)})
}

// dataBody names the members that changed. One that is neither in values nor in
// deleted is too large to be sent along.
type dataBody struct {
	Keys    []string                   `json:"keys"`
	Values  map[string]json.RawMessage `json:"values,omitempty"`
	Deleted []string                   `json:"deleted,omitempty"`
}

const (
	valueSent  = 2 << 10 // the largest member that is sent along
	valuesSent = 8 << 10 // all in one event
)

// tellData reads the members as they are now: the revision belongs to the
// values, and an event that comes late tells nothing old.
func (h *Hub) tellData(ctx context.Context, ids []sojourn.ID, keys []string) error {
	s, err := h.manager.Open(ctx, ids[0])
	if err != nil {
		if errors.Is(err, sojourn.ErrNotFound) {
			return nil
		}
		return err
	}
	members, revision, err := s.Members(ctx)
	if err != nil {
		return err
	}
	body := dataBody{Keys: keys, Values: make(map[string]json.RawMessage)}
	size := 0
	for _, key := range keys {
		value, ok := members[key]
		switch {
		case !ok:
			body.Deleted = append(body.Deleted, key)
		case h.opt.NoValues:
		case len(value) <= valueSent && size+len(value) <= valuesSent:
			size += len(value)
			body.Values[key] = value
		}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		body.Values = nil // a stored member that is no JSON
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return h.plane.Append(ctx, ids, Event{Type: typeData, Data: raw, Revision: revision, At: time.Now()})
}

type endBody struct {
	Reason sojourn.Reason `json:"reason,omitempty"`
}

func (h *Hub) end(ctx context.Context, id sojourn.ID, reason sojourn.Reason) error {
	raw, err := json.Marshal(endBody{reason})
	if err != nil {
		return err
	}
	return h.plane.End(ctx, id, Event{Type: typeEnded, Data: raw, At: time.Now()}, reason, forgetAfter)
}

// endPatience is how long pages of this node wait for the backplane to give them
// the last event of their session.
const endPatience = 200 * time.Millisecond

// conclude ends the log of a session, and its connections here even if the
// backplane does not answer.
func (h *Hub) conclude(ctx context.Context, id sojourn.ID, reason sojourn.Reason) error {
	h.mu.Lock()
	s := h.sessions[id]
	h.mu.Unlock()
	if s != nil {
		time.AfterFunc(endPatience, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.finish(reason)
		})
	}
	return h.end(ctx, id, reason)
}

// checkOwner reads all followed sessions of an owner again and ends the dead
// ones: a login that came after the revocation lives. If the backplane cannot
// name them, those of this node are read.
func (h *Hub) checkOwner(ctx context.Context, owner string, keep sojourn.ID) error {
	ids, failed := h.plane.Tagged(ctx, ownerTag(owner))
	if failed != nil {
		h.each(func(s *session) {
			if s.owner == owner {
				ids = append(ids, s.id)
			}
		})
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	for _, id := range ids {
		if id == keep {
			continue
		}
		h.rereads <- struct{}{}
		group.Go(func() {
			st, err := h.manager.Inspect(ctx, id)
			<-h.rereads
			if err == nil && st.State != sojourn.StateActive {
				err = h.conclude(ctx, id, st.Reason)
			}
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
		})
	}
	group.Wait()
	return failed
}
