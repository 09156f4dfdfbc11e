package main

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/movestore"
)

// slack is how long after its deadline a session is taken for expired: clocks
// differ, and a touch may be on its way.
const slack = time.Minute

// A tally is what an old store holds.
type tally struct {
	waiting int   // to be carried
	expired int   // not worth carrying
	ended   int   // tombstones, and sessions that a revoke-all has reached
	carried int   // markers
	bytes   int64 // of those that wait
}

var errNoScan = errors.New("this kind of store cannot list its sessions, so they cannot be carried all at once. Run the servers with --store NEW --store-from OLD for as long as the longest session lasts (--absolute): they carry each session as they meet it, and the others end in that time")

// records goes through a store. It ends early with an error.
func records(ctx context.Context, store sojourn.Store) iter.Seq2[*sojourn.Record, error] {
	return func(yield func(*sojourn.Record, error) bool) {
		all, ok := sojourn.As[scanner](store)
		if !ok {
			yield(nil, errNoScan)
			return
		}
		var after sojourn.ID
		for {
			batch, err := all.Scan(ctx, after, scanBatch)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range batch {
				after = batch[i].ID
				if !yield(&batch[i], nil) {
					return
				}
			}
			if len(batch) < scanBatch {
				return
			}
		}
	}
}

// worth reports whether a record is to be carried.
func worth(r *sojourn.Record, now time.Time) bool {
	return movestore.StandingOf(r) == movestore.Waiting && r.Expires.After(now.Add(-slack))
}

// count goes through the old store.
func count(ctx context.Context, store sojourn.Store, show *progress) (t tally, err error) {
	show.begin("Counting", 0)
	for r, err := range records(ctx, store) {
		if err != nil {
			return t, err
		}
		switch standing := movestore.StandingOf(r); {
		case standing == movestore.Carried:
			t.carried++
		case standing == movestore.Ended:
			t.ended++
		case worth(r, time.Now()):
			t.waiting++
			t.bytes += int64(len(r.Payload))
		default:
			t.expired++
		}
		show.step()
	}
	return t, nil
}
