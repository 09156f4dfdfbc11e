package storetest

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

var createMistakes = []mistake{
	{"Load of the absent succeeds", "LoadAbsent UpdateAbsent RevokeAbsent", func(b *broken) {
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			if r.ID == "" {
				err = nil
			}
			return r, err
		}
	}},
	{"Load hides OwnerGeneration", "CreateStampsGeneration RevokeOwnerRaises OwnersNeverMix", func(b *broken) {
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			r.OwnerGeneration = 0
			return r, err
		}
	}},
	{"Create overwrites", "CreateTwice CreateOverTombstone CreateInParallel RevokeIsFinal", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			b.locked(func() { delete(b.records, r.ID) })
			return b.mapStore.Create(ctx, r)
		}
	}},
	{"Create overwrites tombstones", "CreateOverTombstone RevokeIsFinal", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			b.locked(func() {
				if b.records[r.ID].Dead {
					delete(b.records, r.ID)
				}
			})
			return b.mapStore.Create(ctx, r)
		}
	}},
	{"Create looks first and writes later", "CreateInParallel", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			if got, _ := b.mapStore.Load(ctx, r.ID); got.ID != "" {
				return sojourn.ErrExists
			}
			time.Sleep(time.Millisecond)
			b.locked(func() { delete(b.records, r.ID) })
			return b.mapStore.Create(ctx, r)
		}
	}},
	{"Create does not tell the version", "CreateThenLoad UpdateReplaces", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			own := *r
			err := b.mapStore.Create(ctx, &own)
			r.Generation, r.OwnerGeneration = own.Generation, own.OwnerGeneration
			return err
		}
	}},
	{"Create trusts the caller's generation", "CreateStampsGeneration RevokeOwnerUnknown RevokeOwnerRacesCreate", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			given := r.Generation
			err := b.mapStore.Create(ctx, r)
			b.locked(func() {
				stored := b.records[r.ID]
				stored.Generation = given
				b.records[r.ID] = stored
			})
			r.Generation = given
			return err
		}
	}},
	{"Create stamps a cached generation", "RevokeOwnerRaises RevokeOwnerRacesCreate TortureRevokeOwner", func(b *broken) {
		var cache sync.Map
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			err := b.mapStore.Create(ctx, r)
			if g, ok := cache.LoadOrStore(r.Owner, r.Generation); ok && err == nil {
				r.Generation = g.(uint64)
				b.locked(func() { b.records[r.ID] = *r })
			}
			return err
		}
	}},
	{"Create stamps the generation after inserting", "RevokeOwnerRacesCreate", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			err := b.mapStore.Create(ctx, r)
			time.Sleep(300 * time.Microsecond)
			b.locked(func() {
				stored := b.records[r.ID]
				stored.Generation = b.generations[r.Owner]
				b.records[r.ID] = stored
			})
			return err
		}
	}},
	{"deadlines are whole seconds", "MillisecondPrecision TouchInParallel", func(b *broken) {
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			own := *r
			own.Expires = own.Expires.Truncate(time.Second)
			err := b.mapStore.Create(ctx, &own)
			r.Version, r.Generation, r.OwnerGeneration = own.Version, own.Generation, own.OwnerGeneration
			return err
		}
		b.touch = func(ctx context.Context, r *sojourn.Record, expires time.Time) error {
			return b.mapStore.Touch(ctx, r, expires.Truncate(time.Second))
		}
	}},
	{"records are kept by pointer", "RecordsAreCopied", func(b *broken) {
		pointers := map[sojourn.ID]*sojourn.Record{}
		b.create = func(ctx context.Context, r *sojourn.Record) error {
			err := b.mapStore.Create(ctx, r)
			b.locked(func() { pointers[r.ID] = r })
			return err
		}
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			b.locked(func() {
				if p := pointers[id]; p != nil {
					b.records[id] = *p
				}
			})
			return b.mapStore.Load(ctx, id)
		}
	}},
}

var updateMistakes = []mistake{
	{"Update ignores the version", "UpdateConflict UpdateInParallel UpdateLosesNothing UpdateDead TortureWrites TortureTake TortureLogins", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			b.locked(func() {
				if current, err := b.find(r.ID); err == nil {
					r.Version = current.Version
				}
			})
			return b.mapStore.Update(ctx, r)
		}
	}},
	{"Update compares first and writes later", "UpdateInParallel UpdateLosesNothing TortureWrites", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			current, err := b.mapStore.Load(ctx, r.ID)
			if err != nil {
				return current, err
			}
			if current.Version != r.Version {
				return current, sojourn.ErrConflict
			}
			time.Sleep(100 * time.Microsecond)
			r.Version++
			b.locked(func() { b.records[r.ID] = *r })
			return *r, nil
		}
	}},
	{"Update creates", "UpdateAbsent SweepRemovesExpired", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			current, err := b.mapStore.Update(ctx, r)
			if err != nil && current.ID == "" {
				err = b.mapStore.Create(ctx, r)
			}
			return current, err
		}
	}},
	{"Update revives", "UpdateAfterRevoke RevokeIsFinal RevokeRacesUpdate TortureEnds TortureLogins", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			current, err := b.mapStore.Update(ctx, r)
			if err != nil && current.Dead {
				b.locked(func() { b.records[r.ID] = *r })
				return *r, nil
			}
			return current, err
		}
	}},
	{"Update keeps the deadline", "UpdateReplaces TouchKeepsVersion", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			own := *r
			if current, err := b.mapStore.Load(ctx, r.ID); err == nil {
				own.Expires = current.Expires
			}
			current, err := b.mapStore.Update(ctx, &own)
			r.Version = own.Version
			return current, err
		}
	}},
	{"Update cannot end a session", "UpdateDead CreateOverTombstone", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			own := *r
			own.Dead = false
			current, err := b.mapStore.Update(ctx, &own)
			r.Version = own.Version
			return current, err
		}
	}},
	{"Update changes the owner", "UpdateKeepsOwner", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			current, err := b.mapStore.Update(ctx, r)
			if err == nil {
				b.locked(func() { b.records[r.ID] = *r })
			}
			return current, err
		}
	}},
	{"Update stamps the newest generation", "UpdateWritesGeneration", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			b.locked(func() { r.Generation = b.generations[r.Owner] })
			return b.mapStore.Update(ctx, r)
		}
	}},
	{"Update keeps the generation", "UpdateWritesGeneration TortureRevokeOthers", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			own := *r
			b.locked(func() { own.Generation = b.records[r.ID].Generation })
			current, err := b.mapStore.Update(ctx, &own)
			r.Version = own.Version
			return current, err
		}
	}},
	{"a zero Expires is stored", "UpdateKeepsDeadline TortureWrites", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			own := *r
			if own.Expires.IsZero() {
				own.Expires = time.UnixMilli(0)
			}
			current, err := b.mapStore.Update(ctx, &own)
			r.Version = own.Version
			return current, err
		}
	}},
	{"Update reads the deadline first and writes it later", "UpdateKeepsDeadlineRacingTouch", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			own := *r
			if current, err := b.mapStore.Load(ctx, r.ID); err == nil && own.Expires.IsZero() {
				own.Expires = current.Expires
			}
			time.Sleep(20 * time.Microsecond)
			current, err := b.mapStore.Update(ctx, &own)
			r.Version = own.Version
			return current, err
		}
	}},
	{"a conflict returns the caller's record", "UpdateConflict UpdateInParallel UpdateLosesNothing PayloadsOfEverySize", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			given := *r
			current, err := b.mapStore.Update(ctx, r)
			if err == sojourn.ErrConflict {
				return given, err
			}
			return current, err
		}
	}},
	{"a conflict hides OwnerGeneration", "UpdateConflict", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			current, err := b.mapStore.Update(ctx, r)
			current.OwnerGeneration = 0
			return current, err
		}
	}},
	{"versions are hashes of the payload", "VersionsDiffer", func(b *broken) {
		b.update = func(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
			current, err := b.mapStore.Update(ctx, r)
			if err == nil {
				h := fnv.New64a()
				h.Write(r.Payload)
				r.Version = h.Sum64()
				b.locked(func() { b.records[r.ID] = *r })
			}
			return current, err
		}
	}},
}
