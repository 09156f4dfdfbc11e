package memcachestore

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/sojournhq/sojourn"
)

// A record's item holds, integers big-endian:
//
//	format 1 · 1 if dead · version · deadline (ms) · generation (8 bytes each)
//	owner (uvarint length) · payload
//
// A generations' item holds the owners of one tag, nearly always one:
//
//	format 1 · for each: owner (uvarint length) · generation (8 bytes)
const (
	format  = 1
	fixed   = 2 + 3*8
	maxHead = fixed + binary.MaxVarintLen32
)

func encodeRecord(r *sojourn.Record) []byte {
	b := make([]byte, 0, maxHead+len(r.Owner)+len(r.Payload))
	b = append(b, format, 0)
	if r.Dead {
		b[1] = 1
	}
	b = binary.BigEndian.AppendUint64(b, r.Version)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Expires.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, r.Generation)
	b = binary.AppendUvarint(b, uint64(len(r.Owner)))
	b = append(b, r.Owner...)
	return append(b, r.Payload...)
}

// restamp changes the generation of an encoded record.
func restamp(b []byte, generation uint64) { binary.BigEndian.PutUint64(b[18:], generation) }

// decodeRecord reads an item. The payload aliases it.
func decodeRecord(id sojourn.ID, b []byte) (sojourn.Record, error) {
	if err := checkFormat(b, "record"); err != nil {
		return sojourn.Record{}, err
	}
	if len(b) < fixed || b[1] > 1 {
		return sojourn.Record{}, fmt.Errorf("%w: truncated record", sojourn.ErrCorrupt)
	}
	owner, payload, ok := cutOwner(b[fixed:])
	if !ok {
		return sojourn.Record{}, fmt.Errorf("%w: truncated record", sojourn.ErrCorrupt)
	}
	return sojourn.Record{
		ID:         id,
		Dead:       b[1] == 1,
		Version:    binary.BigEndian.Uint64(b[2:]),
		Expires:    time.UnixMilli(int64(binary.BigEndian.Uint64(b[10:]))),
		Generation: binary.BigEndian.Uint64(b[18:]),
		Owner:      string(owner),
		Payload:    payload,
	}, nil
}

func checkFormat(b []byte, what string) error {
	switch {
	case len(b) == 0 || b[0] == 0:
		return fmt.Errorf("%w: not a %s of this store", sojourn.ErrCorrupt, what)
	case b[0] > format:
		return fmt.Errorf("%w: %s of format %d, this program reads %d: it was written by a newer Sojourn, or by somebody else under our prefix", sojourn.ErrCorrupt, what, b[0], format)
	}
	return nil
}

func cutOwner(b []byte) (owner, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}

// A generation is one owner's.
type generation struct {
	owner string
	value uint64
}

func encodeGenerations(all []generation) []byte {
	b := []byte{format}
	for _, g := range all {
		b = binary.AppendUvarint(b, uint64(len(g.owner)))
		b = append(b, g.owner...)
		b = binary.BigEndian.AppendUint64(b, g.value)
	}
	return b
}

func decodeGenerations(b []byte) ([]generation, error) {
	if err := checkFormat(b, "generation"); err != nil {
		return nil, err
	}
	var all []generation
	for b = b[1:]; len(b) > 0; {
		owner, rest, ok := cutOwner(b)
		if !ok || len(rest) < 8 {
			return nil, fmt.Errorf("%w: truncated generation", sojourn.ErrCorrupt)
		}
		all = append(all, generation{string(owner), binary.BigEndian.Uint64(rest)})
		b = rest[8:]
	}
	return all, nil
}

// linger is how long an item outlives its deadline. It bridges clocks that
// differ between machines, and lets a late client learn that its session
// expired rather than that there is none.
const linger = time.Minute

// lifetime is the exptime of an item with this deadline. Memcached takes up to
// 30 days as seconds from now, more as seconds since 1970, and 0 as for ever;
// relative times serve as far as they go, because its idea of the date is that
// of its own start. The client has 31 bits for them, so a date beyond January
// 2038 becomes "for ever", which the deadline inside the record corrects.
func lifetime(expires, now time.Time) int32 {
	const relative = 30 * 24 * 60 * 60
	d := expires.Sub(now)
	if d > math.MaxInt64-linger-time.Second {
		return 0
	}
	seconds := max(1, int64((d+linger+time.Second-1)/time.Second))
	if seconds > relative {
		if seconds += now.Unix(); seconds > math.MaxInt32 {
			return 0
		}
	}
	return int32(seconds)
}
