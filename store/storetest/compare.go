package storetest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// same checks everything a store must give back as it was given: all fields but
// Version, Generation and OwnerGeneration, which cases check themselves.
func (e *env) same(what string, got, want sojourn.Record) {
	e.Helper()
	if got.ID != want.ID {
		e.Errorf("%s: ID is %q, expected %q", what, got.ID, want.ID)
	}
	if got.Owner != want.Owner {
		e.Errorf("%s: Owner is %q, expected %q", what, got.Owner, want.Owner)
	}
	if got.Dead != want.Dead {
		e.Errorf("%s: Dead is %v, expected %v", what, got.Dead, want.Dead)
	}
	e.sameTime(what, got.Expires, want.Expires)
	e.samePayload(what, got.Payload, want.Payload)
}

func (e *env) sameTime(what string, got, want time.Time) {
	e.Helper()
	if d := got.Sub(want).Abs(); d >= e.opt.Precision {
		e.Errorf("%s: Expires is %v, expected %v: %v apart", what, got.UTC(), want.UTC(), d)
	}
}

func (e *env) samePayload(what string, got, want []byte) {
	e.Helper()
	if !bytes.Equal(got, want) {
		e.Errorf("%s: Payload is %s, expected %s", what, brief(got), brief(want))
	}
}

func (e *env) sameVersion(what string, got, want sojourn.Record) {
	e.Helper()
	if got.Version != want.Version {
		e.Errorf("%s: Version is %d, expected %d", what, got.Version, want.Version)
	}
}

// generations checks both generations of a record.
func (e *env) generations(what string, got sojourn.Record, own, owners uint64) {
	e.Helper()
	if got.Generation != own {
		e.Errorf("%s: Generation is %d, expected %d", what, got.Generation, own)
	}
	if got.OwnerGeneration != owners {
		e.Errorf("%s: OwnerGeneration is %d, expected %d", what, got.OwnerGeneration, owners)
	}
}

func zero(r sojourn.Record) bool {
	return r.ID == "" && r.Version == 0 && !r.Dead && r.Expires.IsZero() && r.Owner == "" &&
		r.Generation == 0 && r.OwnerGeneration == 0 && len(r.Payload) == 0
}

func show(r sojourn.Record) string {
	return fmt.Sprintf("{ID:%q Version:%d Dead:%v Expires:%v Owner:%q Generation:%d OwnerGeneration:%d Payload:%s}",
		r.ID, r.Version, r.Dead, r.Expires.UTC(), r.Owner, r.Generation, r.OwnerGeneration, brief(r.Payload))
}

func brief(b []byte) string {
	if len(b) > 16 {
		return fmt.Sprintf("%x… (%d bytes)", b[:16], len(b))
	}
	return fmt.Sprintf("%x (%d bytes)", b, len(b))
}
