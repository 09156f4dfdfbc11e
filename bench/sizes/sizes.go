// Package sizes measures how a store grows: bytes per session, and CPU per
// operation of whatever runs it, at growing numbers of sessions. Both should
// stay flat.
package sizes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Subject is a store to measure, fresh and empty.
type Subject struct {
	Name  string
	Store sojourn.Store
	// Bytes is what the sessions take, where they rest.
	Bytes func(ctx context.Context) (int64, error)
	// CPU is what the engine has used so far. For an embedded engine this is the
	// program itself.
	CPU func() (time.Duration, error)
}

// A Row is one subject at one size.
type Row struct {
	Name     string
	Sessions int
	Bytes    float64 // per session
	Load     time.Duration
	Update   time.Duration
	Touch    time.Duration
}

const (
	payload   = 300     // bytes
	callers   = 16      // at once
	sampled   = 100_000 // operations per measurement: the kernel counts CPU in ticks of 10 ms
	perOwner  = 2
	beginning = 100 * 24 * time.Hour // deadlines far enough not to expire
)

// Measure grows the subject through the sizes, in ascending order. Operations go
// to that many active sessions, picked among all at each size; 0 stands for all.
func Measure(ctx context.Context, s Subject, sizes []int, active int, progress func(string)) ([]Row, error) {
	ids := make([]sojourn.ID, 0, sizes[len(sizes)-1])
	records := func(n int) []sojourn.Record {
		batch := make([]sojourn.Record, n)
		for i := range batch {
			at := len(ids) + i
			owner := fmt.Sprintf("owner-%d", at/perOwner)
			batch[i] = sojourn.Record{
				ID: newID(at), Owner: owner, Expires: time.Now().Add(beginning + time.Duration(at)*time.Millisecond), Payload: random(payload),
			}
		}
		return batch
	}
	empty, err := s.Bytes(ctx)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, size := range sizes {
		for len(ids) < size {
			batch := records(min(5000, size-len(ids)))
			if err := parallel(len(batch), func(i int) error { return s.Store.Create(ctx, &batch[i]) }); err != nil {
				return rows, fmt.Errorf("%s: create: %w", s.Name, err)
			}
			for _, r := range batch {
				ids = append(ids, r.ID)
			}
			progress(fmt.Sprintf("%s: %d of %d sessions", s.Name, len(ids), size))
		}
		row := Row{Name: s.Name, Sessions: size}
		full, err := s.Bytes(ctx)
		if err != nil {
			return rows, err
		}
		row.Bytes = float64(full-empty) / float64(size)
		picked := make([]sojourn.Record, sampled)
		used := ids
		if active > 0 && active < len(ids) {
			used = make([]sojourn.ID, active)
			for i := range used {
				used[i] = ids[rand.N(len(ids))]
			}
		}
		load := func(i int) (err error) {
			picked[i], err = s.Store.Load(ctx, used[rand.N(len(used))])
			return err
		}
		fresh := random(payload)
		update := func(i int) error {
			r := picked[i]
			r.Payload = fresh
			_, err := s.Store.Update(ctx, &r)
			if err != nil && strings.Contains(err.Error(), "changed meanwhile") { // picked twice
				return nil
			}
			return err
		}
		touch := func(i int) error { return s.Store.Touch(ctx, &picked[i], picked[i].Expires.Add(time.Hour)) }
		for _, op := range []struct {
			name string
			f    func(int) error
			cost *time.Duration
		}{{"load", load, &row.Load}, {"update", update, &row.Update}, {"touch", touch, &row.Touch}} {
			progress(fmt.Sprintf("%s: %s at %d sessions", s.Name, op.name, size))
			if *op.cost, err = s.cost(op.f); err != nil {
				return rows, fmt.Errorf("%s: %s: %w", s.Name, op.name, err)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// cost is the engine's CPU time per operation.
func (s Subject) cost(op func(int) error) (time.Duration, error) {
	runtime.GC()
	before, err := s.CPU()
	if err != nil {
		return 0, err
	}
	if err := parallel(sampled, op); err != nil {
		return 0, err
	}
	after, err := s.CPU()
	return (after - before) / sampled, err
}

func parallel(n int, f func(i int) error) error {
	errs := make(chan error, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := c; i < n; i += callers {
				if err := f(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// newID has the shape of the core's: eight characters that two sessions of an
// owner share, then random ones.
func newID(at int) sojourn.ID {
	var id [30]byte
	owner := uint64(at/perOwner) * 0x9e3779b97f4a7c15
	for i := range id {
		if i < 8 {
			id[i] = alphabet[owner>>(6*i)&63]
		} else {
			id[i] = alphabet[rand.N(64)]
		}
	}
	return sojourn.ID(id[:])
}

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}
