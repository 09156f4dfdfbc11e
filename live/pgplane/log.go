package pgplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// Open implements [live.Backplane]: one round trip, two where the log is new, has
// a new tag, or was not used for a while.
func (p *Plane) Open(ctx context.Context, id sojourn.ID, tags []string) (live.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var at live.Position
	var reason *string
	var remembered, tagged bool
	var unused int64
	err := p.pool.QueryRow(ctx, sqlLook, []byte(id), bytesOf(tags)).Scan(&at.Epoch, &at.Offset, &reason, &remembered, &unused, &tagged)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return live.Position{}, wrap("open log", err)
	case reason != nil && remembered:
		return live.Position{}, ended(*reason)
	case reason == nil && tagged && unused < p.opt.Retention.For.Milliseconds()/4:
		return at, nil
	}
	at, err = p.begin(ctx, id, tags, 0)
	return at, wrap("open log", err)
}

func ended(reason string) error {
	return &live.Ended{State: sojourn.StateEnded, Reason: sojourn.Reason(reason)}
}

func (p *Plane) begin(ctx context.Context, id sojourn.ID, tags []string, number int64) (at live.Position, err error) {
	var reason *string
	err = p.pool.QueryRow(ctx, sqlOpen, []byte(id), live.NewEpoch(), bytesOf(tags), p.node, number).Scan(&at.Epoch, &at.Offset, &reason)
	if err == nil && reason != nil {
		return live.Position{}, ended(*reason)
	}
	return at, err
}

func bytesOf(tags []string) [][]byte {
	all := make([][]byte, len(tags))
	for i, tag := range tags {
		all[i] = []byte(tag)
	}
	return all
}

// Append implements [live.Backplane]: one round trip and one transaction for all.
func (p *Plane) Append(ctx context.Context, ids []sojourn.ID, e live.Event) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return wrap("append", err)
	}
	all := make([][]byte, len(ids))
	for i, id := range ids {
		all[i] = []byte(id)
	}
	keep := &p.opt.Retention
	return wrap("append", p.exec(ctx, sqlAppend, all, raw, keep.Events, keep.Bytes, keep.For.Milliseconds(), p.channel))
}

// Read implements [live.Backplane]: one round trip.
func (p *Plane) Read(ctx context.Context, id sojourn.ID, after live.Position) (live.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	page, err := p.read(ctx, id, after)
	return page, wrap("read", err)
}

func (p *Plane) read(ctx context.Context, id sojourn.ID, after live.Position) (live.Page, error) {
	keep := &p.opt.Retention
	offset := int64(min(after.Offset, 1<<62))
	rows, err := p.pool.Query(ctx, sqlRead, []byte(id), after.Epoch, offset, keep.Events, keep.For.Milliseconds())
	if err != nil {
		return live.Page{}, err
	}
	defer rows.Close()
	var page live.Page
	whole := true
	next := after.Offset + 1
	for rows.Next() {
		var number *int64
		var raw []byte
		if err := rows.Scan(&page.Position.Epoch, &page.Position.Offset, &number, &raw); err != nil {
			return live.Page{}, err
		}
		if number == nil {
			continue
		}
		e, err := decode(uint64(*number), raw)
		if err != nil {
			return live.Page{}, err
		}
		whole = whole && e.Offset == next
		page.Events, next = append(page.Events, e), next+1
	}
	if err := rows.Err(); err != nil {
		return live.Page{}, err
	}
	page.Recovered = whole && page.Position.Epoch != "" && page.Position.Epoch == after.Epoch && page.Position.Offset+1 == next
	if !page.Recovered {
		page.Events = nil
	}
	return page, nil
}

func decode(offset uint64, raw []byte) (e live.Event, err error) {
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("an event of the log is malformed: %w", err)
	}
	e.Offset = offset
	return e, nil
}

// End implements [live.Backplane]: one round trip.
func (p *Plane) End(ctx context.Context, id sojourn.ID, e live.Event, reason sojourn.Reason, keep time.Duration) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return wrap("end", err)
	}
	return wrap("end", p.exec(ctx, sqlEnd, []byte(id), raw, string(reason), keep.Milliseconds(), p.channel))
}

// Tagged implements [live.Backplane]: one round trip.
func (p *Plane) Tagged(ctx context.Context, tag string) ([]sojourn.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ids, err := idsOf(p.pool.Query(ctx, sqlTagged, []byte(tag)))
	return ids, wrap("tagged", err)
}

// Present implements [live.Backplane]: one round trip.
func (p *Plane) Present(ctx context.Context, tag string) ([]sojourn.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ids, err := idsOf(p.pool.Query(ctx, sqlPresent, []byte(tag), p.node))
	return ids, wrap("present", err)
}
