package cookiestore

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/sojournhq/sojourn"
)

// The inside of a seal; the ID is bound to it from outside:
//
//	version · deadline (ms) · generation · length of owner (uvarints) · owner · payload

func encode(r *sojourn.Record) []byte {
	b := make([]byte, 0, 4*binary.MaxVarintLen64+len(r.Owner)+len(r.Payload))
	b = binary.AppendUvarint(b, r.Version)
	b = binary.AppendUvarint(b, uint64(max(0, r.Expires.UnixMilli())))
	b = binary.AppendUvarint(b, r.Generation)
	b = binary.AppendUvarint(b, uint64(len(r.Owner)))
	b = append(b, r.Owner...)
	return append(b, r.Payload...)
}

func decode(id sojourn.ID, b []byte) (r sojourn.Record, ok bool) {
	var n [4]uint64
	for i := range n {
		v, size := binary.Uvarint(b)
		if size <= 0 {
			return r, false
		}
		n[i], b = v, b[size:]
	}
	if n[1] > math.MaxInt64 || n[3] > uint64(len(b)) {
		return r, false
	}
	return sojourn.Record{ID: id, Version: n[0], Expires: time.UnixMilli(int64(n[1])), Generation: n[2],
		Owner: string(b[:n[3]]), Payload: b[n[3]:]}, true
}
