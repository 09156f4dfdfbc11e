package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// TestScanWhileSlotsMove takes sessions back and forth between two primaries: no
// pass over the keys may miss them.
func TestScanWhileSlotsMove(t *testing.T) {
	c := testenv.StartRedisCluster(t, nil)
	s := open(t, "redis+cluster://"+c.Addrs(), nil)
	var want []sojourn.ID
	for range 300 {
		want = append(want, create(t, s, "").ID)
	}
	owner := "owner of many"
	for range 20 {
		want = append(want, create(t, s, owner).ID)
	}
	slices.Sort(want)
	slot := strconv.FormatInt(c.Nodes[0].Do("CLUSTER", "KEYSLOT", s.generationKey(homeOf(owner))).(int64), 10)
	at := slices.IndexFunc(c.Nodes, func(n *testenv.Redis) bool {
		return n.Do("CLUSTER", "COUNTKEYSINSLOT", slot).(int64) > 0
	})
	moves := 0
	move := func() {
		to := (at + 1 + rand.N(2)) % 3
		source, target := c.Nodes[at], c.Nodes[to]
		target.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", source.Do("CLUSTER", "MYID").(string))
		source.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", target.Do("CLUSTER", "MYID").(string))
		for {
			keys, _ := source.Do("CLUSTER", "GETKEYSINSLOT", slot, "3").([]any)
			if len(keys) == 0 {
				break
			}
			args := []string{"MIGRATE", "127.0.0.1", strconv.Itoa(target.Port), "", "0", "5000", "KEYS"}
			for _, k := range keys {
				args = append(args, k.(string))
			}
			source.Do(args...)
		}
		for _, n := range []*testenv.Redis{target, source, c.Nodes[3-at-to]} {
			n.Do("CLUSTER", "SETSLOT", slot, "NODE", target.Do("CLUSTER", "MYID").(string))
		}
		testenv.Eventually(t, "the nodes have heard of it", 10*time.Second, func() error {
			seen := map[string]bool{}
			for _, n := range c.Nodes {
				seen[infoFields(n.Do("CLUSTER", "INFO").(string))["cluster_current_epoch"]] = true
			}
			if len(seen) > 1 {
				return errNotYet
			}
			return nil
		})
		at, moves = to, moves+1
	}
	ctx, cancel := context.WithCancel(t.Context())
	var scanning sync.WaitGroup
	passes := 0
	scanning.Go(func() {
		for ctx.Err() == nil {
			got, _, err := s.gather(ctx, "")
			if err != nil && ctx.Err() == nil {
				if !errors.Is(err, sojourn.ErrUnavailable) { // a slot that nobody has for a moment
					t.Error(err)
				}
				continue
			}
			if err == nil && !slices.Equal(got, want) {
				t.Errorf("%d records, expected %d", len(got), len(want))
			}
			passes++
		}
	})
	for began := time.Now(); time.Since(began) < 3*time.Second; {
		move()
	}
	cancel()
	scanning.Wait()
	t.Logf("%d passes during %d moves", passes, moves)
	if passes == 0 {
		t.Error("no pass came to its end")
	}
	if got := ids(scanAll(t, s, 100)); !slices.Equal(got, want) {
		t.Errorf("in the end: %d records, expected %d", len(got), len(want))
	}
}

func TestOwnSlots(t *testing.T) {
	own := ownSlots("a1 10.0.0.1:1@2 master - 0 0 7 connected 0-5\n" +
		"b2 10.0.0.2:1@2,host myself,master - 0 0 9 connected 6 8-16383 [6->-a1]\n")
	if want := [][2]int{{6, 6}, {8, 16383}}; !own.primary || !own.moving || own.epoch != "9" || !slices.Equal(own.ranges, want) {
		t.Errorf("a primary: %+v", own)
	}
	if own := ownSlots("txt:b2 10.0.0.2:1@2 myself,slave a1 0 0 9 connected\n"); own.primary || own.moving || own.ranges != nil {
		t.Errorf("a replica: %+v", own)
	}
	for _, text := range []string{"", "b2 myself", "b2 x myself,master - 0 0 9 connected 5-99999 x -3"} {
		if own := ownSlots(text); own.ranges != nil {
			t.Errorf("%q: %+v", text, own)
		}
	}
}
