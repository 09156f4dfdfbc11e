package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/redisurl"
)

// gatherCount is how many keys a server looks at before it serves others: about
// half a millisecond.
const gatherCount = "1000"

// gather goes over all keys for the lowest IDs above after. It finds every record
// that is there from its beginning to its end.
func (s *Store) gather(ctx context.Context, after sojourn.ID) (ids []sojourn.ID, whole bool, err error) {
	found := &window{after: after, size: s.walks.window}
	before, err := s.layout(ctx)
	if err != nil {
		return nil, false, err
	}
	if err := s.round(ctx, before, found); err != nil {
		return nil, false, err
	}
	if s.topology == redisurl.Cluster {
		now, err := s.layout(ctx)
		if err != nil {
			return nil, false, err
		}
		// What moves from one server to another may be met on neither. Whoever goes
		// round twice has asked each server once before each other one.
		if before.moving || now.moving || before.text != now.text {
			if err := s.round(ctx, now, found); err != nil {
				return nil, false, err
			}
		}
	}
	ids, whole = found.done()
	return ids, whole, nil
}

// A layout is which primaries hold the data.
type layout struct {
	addrs  []string
	nodes  map[string]rueidis.Client
	text   string // of a Cluster: who has which slots
	moving bool   // some slots are on the move
}

const slots = 16384

// layout asks every server of a Cluster for itself; those that do not answer are
// not missed if the others have all slots.
func (s *Store) layout(ctx context.Context) (l layout, err error) {
	l.nodes = s.client.Nodes()
	var addrs []string
	for addr := range l.nodes {
		addrs = append(addrs, addr)
	}
	slices.Sort(addrs)
	if s.topology != redisurl.Cluster {
		l.addrs = addrs
		return l, nil
	}
	var covered [slots]bool
	var failed error
	for _, addr := range addrs {
		text, err := l.nodes[addr].Do(ctx, l.nodes[addr].B().ClusterNodes().Build()).ToString()
		if err != nil {
			failed = fmt.Errorf("%s: %w", addr, explain(err))
			if isNoPermission(err) {
				return l, failed
			}
			continue
		}
		own := ownSlots(text)
		if !own.primary {
			continue
		}
		for _, r := range own.ranges {
			for slot := r[0]; slot <= r[1]; slot++ {
				covered[slot] = true
			}
		}
		l.addrs = append(l.addrs, addr)
		l.moving = l.moving || own.moving
		l.text += fmt.Sprintln(addr, own.epoch, own.ranges)
	}
	if slices.Contains(covered[:], false) {
		if failed == nil {
			failed = errors.New("no primary has them")
		}
		return l, fmt.Errorf("%w: some slots of the Cluster: %w", sojourn.ErrUnavailable, failed)
	}
	return l, nil
}

// A share is what a server of a Cluster has.
type share struct {
	primary bool
	epoch   string // rises with every slot it gets
	ranges  [][2]int
	moving  bool // some of them
}

// ownSlots reads in the answer of CLUSTER NODES what a server says of itself:
//
//	id address flags primary ping pong epoch link slot slot-slot [slot->-id]…
func ownSlots(text string) (own share) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !strings.Contains(fields[2], "myself") {
			continue
		}
		own.primary, own.epoch = strings.Contains(fields[2], "master"), fields[6]
		for _, f := range fields[8:] {
			if strings.HasPrefix(f, "[") {
				own.moving = true
				continue
			}
			first, last, ok := strings.Cut(f, "-")
			if !ok {
				last = first
			}
			from, err1 := strconv.ParseUint(first, 10, 14)
			to, err2 := strconv.ParseUint(last, 10, 14)
			if err1 == nil && err2 == nil {
				own.ranges = append(own.ranges, [2]int{int(from), int(to)})
			}
		}
	}
	return own
}

func (s *Store) round(ctx context.Context, l layout, found *window) error {
	for _, addr := range l.addrs {
		if err := s.keysOf(ctx, l.nodes[addr], found); err != nil {
			return fmt.Errorf("%s: %w", addr, explain(err))
		}
	}
	return nil
}

// keysOf goes over one server's keys on a connection of its own: a cursor means
// nothing to a server that has restarted, or has taken the place of another.
func (s *Store) keysOf(ctx context.Context, node rueidis.Client, found *window) error {
	conn, release, err := dedicate(ctx, node)
	if err != nil {
		return err
	}
	defer release()
	pattern := globQuote.Replace(s.opt.Prefix) + "s{*"
	for cursor := "0"; ; {
		answer, err := conn.Do(ctx, conn.B().Arbitrary("SCAN", cursor, "MATCH", pattern, "COUNT", gatherCount).Build()).ToArray()
		if err != nil {
			return err
		}
		if len(answer) != 2 {
			return fmt.Errorf("%w: SCAN answered %d values", sojourn.ErrCorrupt, len(answer))
		}
		keys, err := answer[1].AsStrSlice()
		if err != nil {
			return err
		}
		for _, key := range keys {
			if id, ok := s.idOfKey(key); ok {
				found.add(id)
			}
		}
		if cursor, err = answer[0].ToString(); err != nil {
			return err
		}
		if cursor == "0" {
			break
		}
	}
	if s.topology == redisurl.Cluster {
		return nil // see layout
	}
	text, err := conn.Do(ctx, conn.B().Info().Section("replication").Build()).ToString()
	if err == nil && infoFields(text)["role"] != "master" {
		err = fmt.Errorf("%w: it has become a replica", sojourn.ErrUnavailable)
	}
	if isNoPermission(err) {
		return nil
	}
	return err
}

var globQuote = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// dedicate takes a connection that nobody else uses until release. It returns
// when ctx ends, which the library does not.
func dedicate(ctx context.Context, node rueidis.Client) (conn rueidis.DedicatedClient, release func(), err error) {
	type result struct {
		conn    rueidis.DedicatedClient
		release func()
	}
	taken := make(chan result, 1)
	go func() {
		conn, release := node.Dedicate()
		taken <- result{conn, release}
	}()
	select {
	case r := <-taken:
		return r.conn, r.release, nil
	case <-ctx.Done():
		go func() { (<-taken).release() }()
		return nil, nil, ctx.Err()
	}
}
