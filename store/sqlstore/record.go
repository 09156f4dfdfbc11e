package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// What the columns of every engine can hold, in bytes.
const (
	maxID    = 128
	maxOwner = 255
)

const (
	stateLive = 0
	stateDead = 1
)

func stateOf(dead bool) int64 {
	if dead {
		return stateDead
	}
	return stateLive
}

func storableID(id sojourn.ID) bool { return id != "" && len(id) <= maxID }

func storable(r *sojourn.Record) error {
	if !storableID(r.ID) {
		return fmt.Errorf("%w: id of %d bytes: expected 1 to %d", sojourn.ErrInvalid, len(r.ID), maxID)
	}
	if len(r.Owner) > maxOwner {
		return fmt.Errorf("%w: owner of %d bytes: expected at most %d", sojourn.ErrInvalid, len(r.Owner), maxOwner)
	}
	return nil
}

// payload never is nil, which database drivers would store as NULL.
func payload(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// loadRecord reads the row of a load statement. A dead record comes back with
// ErrNotFound.
func loadRecord(row *sql.Row, id sojourn.ID) (sojourn.Record, error) {
	r, err := scanRecord(row, id)
	if errors.Is(err, sql.ErrNoRows) {
		err = sojourn.ErrNotFound
	}
	if err == nil && r.Dead {
		err = sojourn.ErrNotFound
	}
	return r, err
}

// A row is one row of an answer: *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// scanRecord reads the columns that load and remove return, and before them
// those that lead names.
func scanRecord(from row, id sojourn.ID, lead ...any) (sojourn.Record, error) {
	// Versions and generations are stored as the signed integer of the same
	// bits: SQL has no unsigned ones.
	var version, state, expires, generation, ownerGeneration int64
	r := sojourn.Record{ID: id}
	columns := append(lead, &version, &state, &expires, &r.Owner, &generation, &r.Payload, &ownerGeneration)
	if err := from.Scan(columns...); err != nil {
		return sojourn.Record{}, err
	}
	r.Version, r.Generation, r.OwnerGeneration = uint64(version), uint64(generation), uint64(ownerGeneration)
	r.Dead = state != stateLive
	r.Expires = time.UnixMilli(expires).UTC()
	return r, nil
}
