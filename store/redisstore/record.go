package redisstore

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
)

// The value of a record, big-endian; the scripts know these offsets:
//
//	 0  format, 1
//	 1  state: bit 0 dead, bit 1 away
//	 2  version
//	10  deadline, Unix milliseconds
//	18  generation
//	26  length of the owner, owner, payload
//
// Versions are random. A counter would return after a failover that lost the
// latest writes, and a late writer would take another record for its own.
const (
	format     = 1
	stateDead  = 1
	stateAway  = 2
	headerSize = 26
)

func newVersion() uint64 { return rand.Uint64() | 1 } // never zero

// encode writes a record; the owner has at most 255 bytes.
func encode(r *sojourn.Record, version uint64, away bool) string {
	b := make([]byte, 0, headerSize+1+len(r.Owner)+len(r.Payload))
	b = append(b, head(r.Dead, away, version)...)
	b = binary.BigEndian.AppendUint64(b, uint64(millis(r.Expires)))
	b = binary.BigEndian.AppendUint64(b, r.Generation)
	b = append(b, byte(len(r.Owner)))
	b = append(b, r.Owner...)
	return rueidis.BinaryString(append(b, r.Payload...))
}

// head is what an Update compares.
func head(dead, away bool, version uint64) string {
	var b [10]byte
	b[0] = format
	if dead {
		b[1] |= stateDead
	}
	if away {
		b[1] |= stateAway
	}
	binary.BigEndian.PutUint64(b[2:], version)
	return string(b[:])
}

// decode reads a record. Its owner and its payload are parts of the value, which
// is the record's alone and never written to.
func decode(id sojourn.ID, value []byte) (r sojourn.Record, away bool, err error) {
	if len(value) > 0 && value[0] != format {
		return r, false, fmt.Errorf("%w: record format %d, this release knows %d: another release or program wrote it", sojourn.ErrCorrupt, value[0], format)
	}
	if len(value) <= headerSize || len(value) < headerSize+1+int(value[headerSize]) {
		return r, false, fmt.Errorf("%w: record of %d bytes is cut short", sojourn.ErrCorrupt, len(value))
	}
	payload := headerSize + 1 + int(value[headerSize])
	return sojourn.Record{
		ID:         id,
		Version:    binary.BigEndian.Uint64(value[2:]),
		Dead:       value[1]&stateDead != 0,
		Expires:    time.UnixMilli(int64(binary.BigEndian.Uint64(value[10:]))).UTC(),
		Owner:      rueidis.BinaryString(value[headerSize+1 : payload]),
		Generation: binary.BigEndian.Uint64(value[18:]),
		Payload:    value[payload:],
	}, value[1]&stateAway != 0, nil
}

// millis never is negative: the engine has no time before 1970.
func millis(t time.Time) int64 { return max(0, t.UnixMilli()) }

// The value of g{T}: for each owner a byte with the length of the name, the
// name, and eight bytes with the generation.

// generationIn is the owner's generation, 0 if he was never revoked.
func generationIn(value []byte, owner string) (uint64, error) {
	for len(value) > 0 {
		name, generation, rest, err := nextGeneration(value)
		if err != nil {
			return 0, err
		}
		if string(name) == owner {
			return generation, nil
		}
		value = rest
	}
	return 0, nil
}

// nextGeneration reads the first entry of a value.
func nextGeneration(value []byte) (owner []byte, generation uint64, rest []byte, err error) {
	n := 1 + int(value[0])
	if len(value) < n+8 {
		return nil, 0, nil, fmt.Errorf("%w: generations of %d bytes are cut short", sojourn.ErrCorrupt, len(value))
	}
	return value[1:n], binary.BigEndian.Uint64(value[n:]), value[n+8:], nil
}
