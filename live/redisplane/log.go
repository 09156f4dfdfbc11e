package redisplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// Open implements [live.Backplane]: one round trip.
func (p *Plane) Open(ctx context.Context, id sojourn.ID, tags []string) (live.Position, error) {
	position, err := p.begin(ctx, id, tags, "")
	return position, wrap("open log", err)
}

// begin opens a log and enters it where its tags lead, at once; it is taken out
// again if it turns out to have ended.
func (p *Plane) begin(ctx context.Context, id sojourn.ID, tags []string, watcher string) (live.Position, error) {
	calls := append([]call{p.opening(id, tags)}, p.tagging(id, tags, watcher)...)
	answers := p.all(ctx, calls)
	position, err := opened(answers[0])
	var ended *live.Ended
	if errors.As(err, &ended) {
		p.untag(ctx, id, tags)
	}
	for _, a := range answers[1:] {
		err = errors.Join(err, a.Error())
	}
	return position, err
}

func (p *Plane) open(ctx context.Context, id sojourn.ID, tags []string) (live.Position, error) {
	return opened(p.do(ctx, p.opening(id, tags)))
}

func (p *Plane) opening(id sojourn.ID, tags []string) call {
	return call{scriptOpen, p.logKeys(id), append([]string{live.NewEpoch(), p.ttl()}, tags...)}
}

func opened(answer rueidis.RedisResult) (at live.Position, err error) {
	pair, err := answer.ToArray()
	if err != nil {
		return at, err
	}
	if len(pair) != 2 {
		return at, fmt.Errorf("the script answered with %d values, expected 2", len(pair))
	}
	if at.Epoch, err = pair[0].ToString(); err != nil {
		return at, err
	}
	if at.Epoch == "" {
		reason, _ := pair[1].ToString()
		return at, &live.Ended{State: sojourn.StateEnded, Reason: sojourn.Reason(reason)}
	}
	at.Offset, err = offsetOf(&pair[1])
	return at, err
}

func offsetOf(m *rueidis.RedisMessage) (uint64, error) {
	n, err := m.AsInt64()
	if err != nil || n < 0 {
		return 0, fmt.Errorf("offset %d: %w", n, err)
	}
	return uint64(n), nil
}

// Append implements [live.Backplane]: one round trip for all logs on one server.
func (p *Plane) Append(ctx context.Context, ids []sojourn.ID, e live.Event) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return wrap("append", err)
	}
	calls := make([]call, len(ids))
	for i, id := range ids {
		calls[i] = call{scriptAppend, p.logKeys(id), append([]string{live.NewEpoch(), string(raw), p.channelOf(id)}, p.limits()...)}
	}
	var failed error
	for _, answer := range p.all(ctx, calls) {
		failed = errors.Join(failed, answer.Error())
	}
	return wrap("append", failed)
}

// Read implements [live.Backplane]: one round trip.
func (p *Plane) Read(ctx context.Context, id sojourn.ID, after live.Position) (live.Page, error) {
	page, err := p.read(ctx, id, after)
	return page, wrap("read", err)
}

func (p *Plane) read(ctx context.Context, id sojourn.ID, after live.Position) (page live.Page, err error) {
	args := append([]string{after.Epoch, strconv.FormatUint(after.Offset, 10), p.ttl()}, p.limits()...)
	parts, err := p.do(ctx, call{scriptRead, p.logKeys(id), args}).ToArray()
	if err != nil || len(parts) < 2 {
		return page, err
	}
	if page.Position.Epoch, err = parts[0].ToString(); err != nil {
		return page, err
	}
	if page.Position.Offset, err = offsetOf(&parts[1]); err != nil || len(parts) < 3 {
		return page, err
	}
	entries, err := parts[2].AsStrSlice()
	if err != nil {
		return page, err
	}
	page.Recovered = true
	for i, entry := range entries {
		_, raw, _ := strings.Cut(entry, ":")
		var e live.Event
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			return live.Page{}, fmt.Errorf("an event of the log is malformed: %w", err)
		}
		e.Offset = page.Position.Offset - uint64(len(entries)-1-i)
		page.Events = append(page.Events, e)
	}
	return page, nil
}

// End implements [live.Backplane]: two round trips, one where nobody follows.
func (p *Plane) End(ctx context.Context, id sojourn.ID, e live.Event, reason sojourn.Reason, keep time.Duration) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return wrap("end", err)
	}
	tags, err := p.do(ctx, call{scriptEnd, p.logKeys(id), []string{live.NewEpoch(), string(raw), p.channelOf(id), string(reason), ms(keep)}}).AsStrSlice()
	if err != nil {
		return wrap("end", err)
	}
	p.untag(ctx, id, tags)
	return nil
}

// limits are the last arguments of scripts that trim.
func (p *Plane) limits() []string {
	keep := &p.opt.Retention
	return []string{strconv.Itoa(keep.Events), strconv.Itoa(keep.Bytes), ms(keep.For)}
}

// ttl is how long a log stays that nobody uses: at least as long as it keeps
// events, and until those who watch it have come by again.
func (p *Plane) ttl() string { return ms(2 * p.opt.Retention.For) }

func ms(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }
