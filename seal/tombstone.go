package seal

import (
	"encoding/binary"

	"github.com/sojournhq/sojourn"
)

// The inner store makes the tombstone of a revocation itself: the time in 8 bytes
// and the reason. So the reason is handed to it sealed, in base64url behind this,
// and bound to ID, owner and time. An end that came by Update is sealed whole.
const reasonPrefix = "sealed."

func (s *Store) sealReason(r sojourn.RevokedRecord) (sojourn.RevokedRecord, error) {
	at := binary.BigEndian.AppendUint64(nil, uint64(r.At.UnixMilli()))
	sealed, err := s.reason.Seal(string(r.ID), []byte(r.Reason), r.Owner, string(at))
	r.Reason = sojourn.Reason(reasonPrefix + b64.EncodeToString(sealed))
	return r, err
}

func (s *Store) openTombstone(r *sojourn.Record) ([]byte, error) {
	sealed, ok := sealedReason(r.Payload)
	if !ok {
		return nil, ErrUnsealed
	}
	reason, err := s.reason.Open(string(r.ID), sealed, r.Owner, string(r.Payload[:8]))
	if err != nil {
		return nil, err
	}
	return append(r.Payload[:8:8], reason...), nil
}

// sealedReason finds the sealed part of a tombstone.
func sealedReason(p []byte) (sealed []byte, ok bool) {
	const head = 8 + len(reasonPrefix)
	if len(p) < head || string(p[8:head]) != reasonPrefix {
		return nil, false
	}
	sealed, err := b64.DecodeString(string(p[head:]))
	return sealed, err == nil
}

// sealedPart is what a record shows of its seal, however it ended.
func sealedPart(r *sojourn.Record) []byte {
	if r.Dead && (len(r.Payload) == 0 || r.Payload[0] != formatByte) {
		sealed, _ := sealedReason(r.Payload)
		return sealed
	}
	return r.Payload
}
