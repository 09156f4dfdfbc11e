package mysql

import (
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/column"
)

// A row is one row of an answer: *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// scanRecord reads recordColumns, and before them those that lead names.
func scanRecord(from row, id sojourn.ID, lead ...any) (sojourn.Record, error) {
	// Versions and generations are stored as the signed integer of the same
	// bits.
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
