package redisplane

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
)

func (p *Plane) tagging(id sojourn.ID, tags []string, watcher string) []call {
	calls := make([]call, len(tags))
	for i, tag := range tags {
		calls[i] = call{scriptTag, p.tagKeys(tag), []string{p.ttl(), string(id), watcher}}
	}
	return calls
}

// untag takes a session out where its tags led. If that fails it stays until its
// time is over: what is appended to a log that is gone is passed over.
func (p *Plane) untag(ctx context.Context, id sojourn.ID, tags []string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var commands rueidis.Commands
	for _, tag := range tags {
		commands = append(commands, p.client.B().Zrem().Key(p.taggedKey(tag)).Member(string(id)).Build())
	}
	p.client.DoMulti(ctx, commands...)
}

// Tagged implements [live.Backplane]: one round trip.
func (p *Plane) Tagged(ctx context.Context, tag string) ([]sojourn.ID, error) {
	members, err := p.do(ctx, call{scriptMembers, []string{p.taggedKey(tag)}, nil}).AsStrSlice()
	if err != nil {
		return nil, wrap("tagged", err)
	}
	ids := make([]sojourn.ID, len(members))
	for i, m := range members {
		ids[i] = sojourn.ID(m)
	}
	return ids, nil
}

// Present implements [live.Backplane]: one round trip.
func (p *Plane) Present(ctx context.Context, tag string) ([]sojourn.ID, error) {
	answers := p.all(ctx, []call{{scriptMembers, []string{p.watchedKey(tag)}, nil}, {scriptMembers, []string{p.nodesKey()}, nil}})
	watchers, err := answers[0].AsStrSlice()
	if err != nil {
		return nil, wrap("present", err)
	}
	nodes, err := answers[1].AsStrSlice()
	if err != nil {
		return nil, wrap("present", err)
	}
	var ids []sojourn.ID
	for _, w := range watchers {
		_, id, ok := strings.Cut(w, ":")
		if ok && len(w) > nodeChars && (w[:nodeChars] == p.node || slices.Contains(nodes, w[:nodeChars])) {
			ids = append(ids, sojourn.ID(id))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
