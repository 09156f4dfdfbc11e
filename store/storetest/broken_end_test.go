package storetest

import (
	"context"
	"time"

	"github.com/sojournhq/sojourn"
)

var touchMistakes = []mistake{
	{"Touch does nothing", "TouchMovesForward TouchInParallel NothingVanishesEarly", func(b *broken) {
		b.touch = func(context.Context, *sojourn.Record, time.Time) error { return nil }
		b.load = b.vanishing
	}},
	{"Touch moves back", "TouchNeverBack TouchInParallel", func(b *broken) {
		b.touch = func(_ context.Context, r *sojourn.Record, expires time.Time) error {
			b.locked(func() {
				if current, err := b.find(r.ID); err == nil {
					current.Expires = expires
					b.records[r.ID] = current
				}
			})
			return nil
		}
	}},
	{"Touch creates", "TouchNeverCreates", func(b *broken) {
		b.touch = func(ctx context.Context, r *sojourn.Record, expires time.Time) error {
			b.mapStore.Create(ctx, &sojourn.Record{ID: r.ID, Owner: r.Owner, Payload: r.Payload, Expires: expires})
			return b.mapStore.Touch(ctx, r, expires)
		}
	}},
	{"Touch revives", "TouchKeepsTombstones TouchRacesRevoke RevokeIsFinal UpdateDead TortureEnds", func(b *broken) {
		b.touch = func(_ context.Context, r *sojourn.Record, expires time.Time) error {
			b.locked(func() {
				if current := b.records[r.ID]; current.ID != "" {
					current.Dead, current.Expires = false, expires
					b.records[r.ID] = current
				}
			})
			return nil
		}
	}},
	{"Touch lengthens tombstones", "TouchKeepsTombstones", func(b *broken) {
		b.touch = func(_ context.Context, r *sojourn.Record, expires time.Time) error {
			b.locked(func() {
				if current := b.records[r.ID]; expires.After(current.Expires) && current.ID != "" {
					current.Expires = expires
					b.records[r.ID] = current
				}
			})
			return nil
		}
	}},
	{"Touch changes the version", "TouchKeepsVersion TouchRacesUpdate", func(b *broken) {
		b.touch = func(ctx context.Context, r *sojourn.Record, expires time.Time) error {
			err := b.mapStore.Touch(ctx, r, expires)
			b.locked(func() {
				if current, err := b.find(r.ID); err == nil {
					current.Version++
					b.records[r.ID] = current
				}
			})
			return err
		}
	}},
	{"Touch wants the newest version", "TouchMovesForward", func(b *broken) {
		b.touch = func(ctx context.Context, r *sojourn.Record, expires time.Time) error {
			if current, _ := b.mapStore.Load(ctx, r.ID); current.Version != r.Version {
				return nil
			}
			return b.mapStore.Touch(ctx, r, expires)
		}
	}},
	{"Touch reads first and writes later", "TouchRacesUpdate TouchRacesRevoke", func(b *broken) {
		b.touch = func(ctx context.Context, r *sojourn.Record, expires time.Time) error {
			current, err := b.mapStore.Load(ctx, r.ID)
			if err != nil || !expires.After(current.Expires) {
				return nil
			}
			time.Sleep(200 * time.Microsecond)
			current.Expires = expires
			b.locked(func() { b.records[r.ID] = current })
			return nil
		}
	}},
}

var revokeMistakes = []mistake{
	{"Revoke leaves nothing", "RevokeLeavesTombstone CreateOverTombstone RevokeIsFinal UpdateAfterRevoke NothingVanishesEarly", func(b *broken) {
		b.revoke = func(_ context.Context, rr sojourn.RevokedRecord) error {
			b.locked(func() { delete(b.records, rr.ID) })
			return nil
		}
	}},
	{"Revoke wants the version it knew", "RevokeWhateverVersion", func(b *broken) {
		b.revoke = func(ctx context.Context, rr sojourn.RevokedRecord) error {
			if current, _ := b.mapStore.Load(ctx, rr.ID); current.Version != 1 {
				return nil
			}
			return b.mapStore.Revoke(ctx, rr)
		}
	}},
	{"Revoke gives up when another writes", "RevokeRacesUpdate TortureEnds", func(b *broken) {
		b.revoke = func(ctx context.Context, rr sojourn.RevokedRecord) error {
			current, err := b.mapStore.Load(ctx, rr.ID)
			if err != nil {
				return nil
			}
			time.Sleep(100 * time.Microsecond)
			t := rr.Tombstone()
			t.Version = current.Version
			b.mapStore.Update(ctx, &t)
			return nil
		}
	}},
	{"Revoke keeps the version", "RevokeLeavesTombstone VersionsDiffer", func(b *broken) {
		b.revoke = func(_ context.Context, rr sojourn.RevokedRecord) error {
			b.locked(func() {
				if current, err := b.find(rr.ID); err == nil {
					t := rr.Tombstone()
					t.Version = current.Version
					b.records[rr.ID] = t
				}
			})
			return nil
		}
	}},
	{"the last reason stays", "RevokeTwice RevokeInParallel RevokeIsFinal", func(b *broken) {
		b.revoke = func(_ context.Context, rr sojourn.RevokedRecord) error {
			b.locked(func() {
				if current := b.records[rr.ID]; current.ID != "" {
					t := rr.Tombstone()
					t.Version = current.Version + 1
					b.records[rr.ID] = t
				}
			})
			return nil
		}
	}},
	{"Revoke of the absent stores a tombstone", "RevokeAbsent", func(b *broken) {
		b.revoke = func(ctx context.Context, rr sojourn.RevokedRecord) error {
			b.locked(func() {
				if b.records[rr.ID].ID == "" {
					b.records[rr.ID] = rr.Tombstone()
				}
			})
			return b.mapStore.Revoke(ctx, rr)
		}
	}},
	{"tombstones are not shown", "RevokeLeavesTombstone UpdateDead", func(b *broken) {
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			if err != nil {
				r = sojourn.Record{}
			}
			return r, err
		}
	}},
}

var ownerMistakes = []mistake{
	{"RevokeOwner forgets", "RevokeOwnerRaises CreateStampsGeneration RevokeOwnerUnknown RevokeOwnerReachesEveryID TortureRevokeOwner TortureRevokeOthers", func(b *broken) {
		b.revokeOwner = func(_ context.Context, owner string) (g uint64, _ error) {
			b.locked(func() { g = b.generations[owner] + 1 })
			return g, nil
		}
	}},
	{"RevokeOwner wants an owner it knows", "RevokeOwnerUnknown", func(b *broken) {
		b.revokeOwner = func(ctx context.Context, owner string) (uint64, error) {
			if ids, _ := b.mapStore.List(ctx, owner); len(ids) == 0 {
				return 1, nil
			}
			return b.mapStore.RevokeOwner(ctx, owner)
		}
	}},
	{"RevokeOwner reads first and writes later", "RevokeOwnerInParallel", func(b *broken) {
		b.revokeOwner = func(_ context.Context, owner string) (g uint64, _ error) {
			b.locked(func() { g = b.generations[owner] + 1 })
			time.Sleep(100 * time.Microsecond)
			b.locked(func() { b.generations[owner] = g })
			return g, nil
		}
	}},
	{"RevokeOwner ends only listed sessions", "RevokeOwnerRaises UpdateWritesGeneration", func(b *broken) {
		b.revokeOwner = func(ctx context.Context, owner string) (uint64, error) {
			ids, _ := b.mapStore.List(ctx, owner)
			for _, id := range ids {
				b.mapStore.Revoke(ctx, sojourn.RevokedRecord{ID: id, Owner: owner})
			}
			return 1, nil
		}
	}},
	{"generations are kept by tag", "OwnersOfOneTag RevokeOwnerReachesEveryID", func(b *broken) {
		tag := func(id sojourn.ID) string { return string(id[:8]) }
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			b.locked(func() { r.OwnerGeneration = b.generations[tag(id)] })
			return r, err
		}
		b.revokeOwner = func(ctx context.Context, owner string) (uint64, error) {
			return b.mapStore.RevokeOwner(ctx, tag(newID(owner)))
		}
	}},
	{"there is one generation for all", "OwnersNeverMix OwnersOfOneTag OwnersByteForByte", func(b *broken) {
		b.load = func(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
			r, err := b.mapStore.Load(ctx, id)
			b.locked(func() { r.OwnerGeneration = b.generations[""] })
			return r, err
		}
		b.revokeOwner = func(ctx context.Context, owner string) (uint64, error) { return b.mapStore.RevokeOwner(ctx, "") }
	}},
}
