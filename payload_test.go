package sojourn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// samplePayloads are heads with every flag and with members.
func samplePayloads() (ps [][]byte) {
	aal := AAL(2)
	for flags := range byte(flagsKnown + 1) {
		d := draft{limits: &Options{MaxRecord: 1 << 20, MaxMembers: 1 << 10, MaxKey: 128}}
		d.head = head{flags: flags, absolute: 1 << 41, created: 1 << 40, auth: 3, rotated: -4, seen: 5, prevUntil: 6,
			cur: &digest{1}, prev: &digest{2}, next: &digest{3}, seed: &[16]byte{4}, policy: &aal, level: 2, form: &[16]byte{5},
			details: &details{rev: 300, ip: []byte("2001:db8::1"), userAgent: []byte(strings.Repeat("u", 200)), label: []byte("phone"), binding: []byte("key")}}
		for i := range int(flags % 8) {
			d.head.retire(&digest{byte(i)})
			d.head.edit().addNonce(uint32(i+1), int64(i)*1000)
			d.put(change{key: strings.Repeat("k", i+1), raw: []byte(strings.Repeat("1", 1<<(2*i)))})
		}
		p, err := d.encode()
		if err != nil {
			panic(err)
		}
		ps = append(ps, p)
	}
	return ps
}

// unlimited is a draft of h that no limit refuses.
func (h head) unlimited() *draft {
	return &draft{head: h, limits: &Options{MaxRecord: 1 << 30, MaxMembers: 1 << 30, MaxKey: 1 << 30}}
}

func FuzzPayload(f *testing.F) {
	for _, p := range samplePayloads() {
		f.Add(p)
		f.Add(p[:len(p)-1])
		f.Add(append(bytes.Clone(p), 0))
		huge := bytes.Clone(p[:42+32]) // a count far beyond what follows
		f.Add(append(huge, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f))
		f.Add(append(bytes.Clone(huge), 0xff, 0xff))
		f.Add(append(bytes.Clone(huge), 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01))
	}
	f.Add([]byte{})
	f.Add([]byte{payloadVersion})
	f.Add([]byte{payloadVersion + 1})
	f.Add(encodeTombstone(ReasonLogout, time.Unix(1, 0)))
	f.Fuzz(func(t *testing.T, p []byte) {
		before := bytes.Clone(p)
		var h head
		if err := h.decode(p); err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("%v, expected ErrCorrupt", err)
			}
			return
		}
		n := 0
		for k, v := range h.entries() {
			if n++; cap(k) != len(k) || cap(v) != len(v) {
				t.Fatal("appending to a member would write into the payload")
			}
		}
		if n != int(h.count) {
			t.Errorf("%d entries, counted %d", n, h.count)
		}
		_ = h.unlimited().members()
		h.standing(&digest{1}, 0)
		h.hasNonce(7)

		// What was read is written again, and from then on always the same.
		again, err := h.unlimited().encode()
		if err != nil {
			t.Fatal(err)
		}
		var second head
		if err := second.decode(again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		third, err := second.unlimited().encode()
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("not stable: %v\n%x\n%x", err, again, third)
		}
		if !bytes.Equal(p, before) {
			t.Error("decoding changed the payload")
		}
	})
}

// The samples come back byte for byte.
func TestPayloadRoundTrip(t *testing.T) {
	for i, p := range samplePayloads() {
		var h head
		if err := h.decode(p); err != nil {
			t.Fatal(i, err)
		}
		if again, err := h.unlimited().encode(); err != nil || !bytes.Equal(again, p) {
			t.Errorf("%d: %v\n%x\n%x", i, err, p, again)
		}
	}
}

// Every shortened payload is refused: no field is optional at the end.
func TestPayloadTruncated(t *testing.T) {
	for _, p := range samplePayloads() {
		for n := range p {
			var h head
			if err := h.decode(p[:n]); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%d of %d bytes: %v", n, len(p), err)
			}
		}
		var h head
		if err := h.decode(append(bytes.Clone(p), 0)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("a byte more: %v", err)
		}
	}
	var h head
	if err := h.decode([]byte{payloadVersion + 1, 0}); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "newer Sojourn") {
		t.Errorf("newer version: %v", err)
	}
	unknown := samplePayloads()[0]
	unknown[1] |= 0x80
	if err := h.decode(unknown); !errors.Is(err, ErrCorrupt) {
		t.Errorf("unknown flag: %v", err)
	}
}

// Sizes from a hostile record allocate nothing.
func TestPayloadAllocatesNothing(t *testing.T) {
	hostile := [][]byte{samplePayloads()[7]}
	for _, size := range []uint64{1 << 20, 1 << 40, 1<<64 - 1} {
		p := bytes.Clone(samplePayloads()[0][:42+32])
		p = append(p, 0, 0, 1)
		hostile = append(hostile, binary.AppendUvarint(bytes.Clone(p), size), binary.AppendUvarint(append(bytes.Clone(p), 0, 0, 0), size))
	}
	for _, p := range hostile {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			var h head
			_ = h.decode(p)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 200<<10 { // errors are small; parallel tests do not run here
			t.Errorf("%d bytes allocated for %d", n/100, len(p))
		}
	}
}

// A later payload bounds what it remembers.
func TestPayloadKeepsBoundedRings(t *testing.T) {
	var h head
	commit := func(change func()) {
		t.Helper()
		change()
		p, err := h.unlimited().encode()
		if err == nil {
			err = h.decode(p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h.cur = &digest{}
	for i := range 1000 / batchMax {
		commit(func() {
			for j := range batchMax {
				n := i*batchMax + j
				h.retire(&digest{byte(n), byte(n >> 8)})
				h.edit().addNonce(uint32(n+1), 1000)
			}
		})
	}
	const last = 1000 / batchMax * batchMax
	if d := h.about(); len(d.retired) != 8*retiredMax || len(d.nonces) != 8*nonceMax {
		t.Errorf("%d retired, %d nonces", len(d.retired)/8, len(d.nonces)/8)
	}
	if !h.hasNonce(last) || !h.hasNonce(last-nonceMax+1) || h.hasNonce(last-nonceMax) {
		t.Error("the oldest should have gone, the newest stayed")
	}
	commit(func() { h.edit().addNonce(5000, 1000+1000*(nonceKept+1)) })
	if d := h.about(); len(d.nonces) != 8 || !h.hasNonce(5000) {
		t.Errorf("%d nonces, expected old ones to be forgotten", len(d.nonces)/8)
	}
}

func TestTombstone(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	for _, reason := range []Reason{ReasonLogout, "a reason of the caller's"} {
		if got, when := decodeTombstone(encodeTombstone(reason, at)); got != reason || !when.Equal(at) {
			t.Errorf("%q %v", got, when)
		}
	}
	for _, p := range [][]byte{nil, {}, {1, 2, 3}} {
		if got, when := decodeTombstone(p); got != ReasonRevoked || !when.IsZero() {
			t.Errorf("%x: %q %v", p, got, when)
		}
	}
}
