package storetest

import (
	"bytes"
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// vanishing is a Load that forgets what has expired, as an engine does.
func (b *broken) vanishing(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	r, err := b.mapStore.Load(ctx, id)
	if r.ID != "" && r.Expires.Before(time.Now()) {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	return r, err
}

// fold makes the store take names for the same that rename makes equal.
func (b *broken) fold(renameID, renameOwner func(string) string) {
	b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
		r, err := b.mapStore.Load(ctx, sojourn.ID(renameID(string(id))))
		b.locked(func() { r.OwnerGeneration = b.generations[renameOwner(r.Owner)] })
		return r, err
	}
	b.create = func(ctx context.Context, r *sojourn.Record) error {
		given := r.ID
		r.ID = sojourn.ID(renameID(string(given)))
		err := b.mapStore.Create(ctx, r)
		r.ID = given
		return err
	}
	b.revokeOwner = func(ctx context.Context, owner string) (uint64, error) {
		return b.mapStore.RevokeOwner(ctx, renameOwner(owner))
	}
}

func unchanged(s string) string { return s }

var listMistakes = []mistake{
	{"List leaks another owner", "ListHoldsEveryLiveOne OwnersNeverMix", func(b *broken) {
		b.list = func(context.Context, string) (ids []sojourn.ID, _ error) {
			b.locked(func() {
				for id := range b.records {
					ids = append(ids, id)
				}
			})
			return ids, nil
		}
	}},
	{"List goes by tag", "OwnersOfOneTag RevokeOwnerReachesEveryID", func(b *broken) {
		b.list = func(_ context.Context, owner string) (ids []sojourn.ID, _ error) {
			b.locked(func() {
				for id := range b.records {
					if strings.HasPrefix(string(id), string(newID(owner)[:8])) {
						ids = append(ids, id)
					}
				}
			})
			return ids, nil
		}
	}},
	{"List of nobody holds the anonymous", "ListNobody", func(b *broken) {
		b.list = func(ctx context.Context, owner string) (ids []sojourn.ID, err error) {
			if owner != "" {
				return b.mapStore.List(ctx, owner)
			}
			b.locked(func() {
				for id, r := range b.records {
					if r.Owner == "" {
						ids = append(ids, id)
					}
				}
			})
			return ids, nil
		}
	}},
	{"List is empty", "DevicesKeepTheirLimit DevicesAreTheirOwners ListHoldsEveryLiveOne", func(b *broken) {
		b.list = func(context.Context, string) ([]sojourn.ID, error) { return nil, nil }
	}},
	{"Load mixes owners up", "DevicesAreTheirOwners OwnersNeverMix", func(b *broken) {
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			if r.Owner != "" {
				r.Owner = "somebody"
			}
			return r, err
		}
	}},
	{"List runs late", "ListFollowsCreate ListHoldsEveryLiveOne", func(b *broken) {
		b.list = func(ctx context.Context, owner string) ([]sojourn.ID, error) {
			ids, err := b.mapStore.List(ctx, owner)
			return ids[:len(ids)/2], err
		}
	}},
}

var shapeMistakes = []mistake{
	{"payloads are cut at 4 KiB", "PayloadsOfEverySize", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			r.Payload = r.Payload[:min(len(r.Payload), 4096)]
			return b.mapStore.Create(ctx, r)
		}
	}},
	{"payloads end at a NUL", "PayloadsOfEveryByte", func(b *broken) {
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			r.Payload, _, _ = bytes.Cut(r.Payload, []byte{0})
			return r, err
		}
	}},
	{"payload buffers are used again", "PayloadsAreImmutable", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			b.locked(func() {
				if current, err := b.find(r.ID); err == nil && current.Version == r.Version {
					r.Payload = append(current.Payload[:0], r.Payload...)
				}
			})
			return b.mapStore.Update(ctx, r)
		}
	}},
	{"IDs are file names", "IDsOfEveryShape", func(b *broken) { b.fold(path.Clean, unchanged) }},
	{"IDs are folded", "IDsByteForByte", func(b *broken) { b.fold(strings.ToLower, unchanged) }},
	{"owners are folded", "OwnersByteForByte", func(b *broken) { b.fold(unchanged, strings.ToLower) }},
	{"owners are trimmed", "OwnersByteForByte", func(b *broken) { b.fold(unchanged, strings.TrimSpace) }},
	{"owners are cut short", "LongestOwner OwnersByteForByte", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			r.Owner = r.Owner[:min(len(r.Owner), 191)]
			return b.mapStore.Create(ctx, r)
		}
	}},
	{"deadlines end after 30 days", "FarDeadlines", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			if time.Until(r.Expires) > 30*24*time.Hour { // memcached takes more for a date in 1970
				return nil
			}
			return b.mapStore.Create(ctx, r)
		}
	}},
}

var contextMistakes = []mistake{
	{"contexts are ignored", "CancelledContext", func(b *broken) {
		b.update = func(_ context.Context, r *sojourn.Record) (sojourn.Record, error) {
			return b.mapStore.Update(context.Background(), r)
		}
	}},
	{"an ended context means not found", "CancelledContext", func(b *broken) {
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			if err != nil && r.ID == "" {
				err = sojourn.ErrNotFound
			}
			return r, err
		}
	}},
	{"an ended context leaves half an Update", "CancelledContext InterruptedUpdate", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			b.locked(func() {
				if current, err := b.find(r.ID); err == nil && current.Version == r.Version {
					current.Payload = r.Payload
					b.records[r.ID] = current
				}
			})
			time.Sleep(50 * time.Microsecond)
			return b.mapStore.Update(ctx, r)
		}
	}},
	{"Update is answered before it is done", "InterruptedUpdate UpdateReplaces", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			own := *r
			go func() {
				time.Sleep(100 * time.Microsecond)
				b.mapStore.Update(context.Background(), &own)
			}()
			r.Version++
			return *r, ctx.Err()
		}
	}},
	{"Ping fails", "PingAnswers", func(b *broken) {
		b.ping = func(context.Context) error { return errors.New("no route") }
	}},
}

var sweepMistakes = []mistake{
	{"expired records are hidden before a sweep", "SweeperWaitsToBeTold", func(b *broken) { b.load = b.vanishing }},
	{"Sweep removes live ones", "SweepRemovesExpired SweepKeepsGenerations", func(b *broken) {
		b.sweep = func(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
			return b.mapStore.Sweep(ctx, before.Add(100*365*24*time.Hour), limit)
		}
	}},
	{"Sweep removes what expires at that moment", "SweepRemovesExpired", func(b *broken) {
		b.sweep = func(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
			return b.mapStore.Sweep(ctx, before.Add(time.Millisecond), limit)
		}
	}},
	{"Sweep leaves tombstones", "SweepRemovesExpired", func(b *broken) {
		b.sweep = func(_ context.Context, before time.Time, limit int) (swept []sojourn.Record, _ error) {
			b.locked(func() {
				for id, r := range b.records {
					if len(swept) < limit && r.Expires.Before(before) && !r.Dead {
						swept = append(swept, r)
						delete(b.records, id)
					}
				}
			})
			return swept, nil
		}
	}},
	{"Sweep has no limit", "SweepRespectsLimit", func(b *broken) {
		b.sweep = func(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
			return b.mapStore.Sweep(ctx, before, limit*10)
		}
	}},
	{"Sweep ends too soon", "SweepRespectsLimit", func(b *broken) {
		b.sweep = func(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
			return b.mapStore.Sweep(ctx, before, limit-1)
		}
	}},
	{"Sweep forgets generations", "SweepKeepsGenerations", func(b *broken) {
		b.sweep = func(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
			swept, err := b.mapStore.Sweep(ctx, before, limit)
			b.locked(func() {
				for _, r := range swept {
					delete(b.generations, r.Owner)
				}
			})
			return swept, err
		}
	}},
	{"Sweep chooses first and removes later", "SweepRacesTouch", func(b *broken) {
		b.sweep = func(_ context.Context, before time.Time, limit int) (swept []sojourn.Record, _ error) {
			b.locked(func() {
				for _, r := range b.records {
					if len(swept) < limit && r.Expires.Before(before) {
						swept = append(swept, r)
					}
				}
			})
			time.Sleep(50 * time.Microsecond)
			b.locked(func() {
				for _, r := range swept {
					delete(b.records, r.ID)
				}
			})
			return swept, nil
		}
	}},
}
