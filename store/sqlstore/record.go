package sqlstore

import (
	"database/sql"
	"errors"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/column"
)

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
	r.Dead = state != column.Live
	r.Expires = time.UnixMilli(expires).UTC()
	return r, nil
}
