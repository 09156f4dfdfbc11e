package postgres

import (
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/column"
)

// maxPayload is what surely fits into a field and a message of the protocol, each
// of which ends at 1 GiB.
const maxPayload = 256 << 20

func checkPayload(b []byte) error {
	if len(b) > maxPayload {
		return fmt.Errorf("%w: payload of %d bytes: expected at most %d", sojourn.ErrTooLarge, len(b), maxPayload)
	}
	return nil
}

// columns are what the statements select of a record. Versions and generations
// are stored as the signed integer of the same bits: SQL has no unsigned ones.
type columns struct {
	version, state, expires, generation, ownerGeneration int64

	id, owner, data []byte
}

// record is where to scan recordColumns, behind those that lead names.
func (c *columns) record(lead ...any) []any {
	return append(lead, &c.version, &c.state, &c.expires, &c.owner, &c.generation, &c.data, &c.ownerGeneration)
}

func (c *columns) asRecord(id sojourn.ID) sojourn.Record {
	return sojourn.Record{
		ID: id, Version: uint64(c.version), Dead: c.state != column.Live,
		Expires: time.UnixMilli(c.expires).UTC(), Owner: string(c.owner), Payload: c.data,
		Generation: uint64(c.generation), OwnerGeneration: uint64(c.ownerGeneration),
	}
}
