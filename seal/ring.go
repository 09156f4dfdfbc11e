package seal

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/sojournhq/sojourn"
)

// A Ring holds the keys: the active one seals, the others only open. It prints as
// their IDs. It is made by [NewRing] or [ParseRing] and safe for parallel use.
type Ring struct{ keys atomic.Pointer[keys] }

type keys struct {
	list []*ringKey // the active one first
	byID map[keyID]*ringKey
}

type ringKey struct {
	Key
	root           *hidden // what record keys are derived from
	sealed, opened atomic.Uint64
}

// maxKeys bounds a ring: replaced keys are meant to leave it.
const maxKeys = 64

// NewRing joins an active key with those that only open. A key may not be given
// twice.
func NewRing(active Key, old ...Key) (*Ring, error) {
	k := &keys{byID: map[keyID]*ringKey{}}
	for _, one := range append([]Key{active}, old...) {
		switch {
		case one.secret == nil:
			return nil, fmt.Errorf("%w: ring: a zero Key; GenerateKey, NewKey and ParseKey make keys", sojourn.ErrInvalid)
		case k.byID[one.id] != nil:
			return nil, fmt.Errorf("%w: ring: key %s is in it twice", sojourn.ErrInvalid, one.ID())
		case len(k.list) == maxKeys:
			return nil, fmt.Errorf("%w: ring: more than %d keys; remove those that seal nothing any more", sojourn.ErrInvalid, maxKeys)
		}
		e := &ringKey{Key: one}
		e.root = &hidden{(*[keyBytes]byte)(derive(one.secret.array[:], "sojourn seal root 1", keyBytes))}
		k.list, k.byID[one.id] = append(k.list, e), e
	}
	r := new(Ring)
	r.keys.Store(k)
	return r, nil
}

// ParseRing reads keys, the active one first, as "sojourn keys" writes them:
// separated by line ends or blanks; # begins a comment. It reads 64 KiB at most.
// Its errors name lines and never quote them.
func ParseRing(r io.Reader) (*Ring, error) {
	const limit = 64 << 10
	in := &io.LimitedReader{R: r, N: limit + 1}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), limit+2)
	var all []Key
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		for field := range strings.FieldsSeq(text) {
			key, err := ParseKey(field)
			if err != nil {
				return nil, fmt.Errorf("ring: line %d: %w", n, err)
			}
			all = append(all, key)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong), in.N == 0:
		return nil, fmt.Errorf("%w: ring: more than %d bytes", sojourn.ErrInvalid, limit)
	case err != nil:
		return nil, fmt.Errorf("ring: %w", err)
	case len(all) == 0:
		return nil, fmt.Errorf("%w: ring: no key; \"sojourn keys new\" makes one", sojourn.ErrInvalid)
	}
	return NewRing(all[0], all[1:]...)
}

// Replace makes r hold the keys of next, at once and for all who use r: for a key
// file that has changed while the program runs. Keys that stay keep their counts.
func (r *Ring) Replace(next *Ring) error {
	fresh, old := next.keys.Load(), r.keys.Load()
	if fresh == nil || old == nil {
		return errNoRing
	}
	k := &keys{byID: map[keyID]*ringKey{}}
	for _, e := range fresh.list {
		if kept := old.byID[e.id]; kept != nil && *kept.secret.array == *e.secret.array {
			e = kept
		}
		k.list, k.byID[e.id] = append(k.list, e), e
	}
	r.keys.Store(k)
	return nil
}

var errNoRing = fmt.Errorf("%w: ring without keys; NewRing and ParseRing make one", sojourn.ErrInvalid)

// A KeyUse tells of a key what this process has done with it.
type KeyUse struct {
	ID     string
	Active bool
	// Sealed and Opened count since the ring was made. A replaced key whose Opened
	// stands still is hardly needed any more; Store.Census tells for certain.
	Sealed, Opened uint64
}

// Keys lists the keys, the active one first.
func (r *Ring) Keys() []KeyUse {
	k := r.keys.Load()
	if k == nil {
		return nil
	}
	list := make([]KeyUse, len(k.list))
	for i, e := range k.list {
		list[i] = KeyUse{e.ID(), i == 0, e.sealed.Load(), e.opened.Load()}
	}
	return list
}

// Format prints the IDs, whatever the verb.
func (r *Ring) Format(f fmt.State, _ rune) { fmt.Fprint(f, r.masked()) }

// LogValue is the IDs.
func (r *Ring) LogValue() slog.Value { return slog.StringValue(r.masked()) }

// MarshalText is the IDs: a ring does not survive being encoded.
func (r *Ring) MarshalText() ([]byte, error) { return []byte(r.masked()), nil }

func (r *Ring) masked() string {
	if r == nil {
		return "ring()"
	}
	var ids []string
	for _, k := range r.Keys() {
		ids = append(ids, k.ID)
	}
	return "ring(" + strings.Join(ids, " ") + ")"
}

// aead makes the cipher of one record: its key is HKDF-Expand of the ring key's
// root, so no key ever meets as many messages as random nonces allow.
func (e *ringKey) aead(info string) cipher.AEAD {
	key, err := hkdf.Expand(sha256.New, e.root.array[:], info, keyBytes)
	if err == nil {
		var block cipher.Block
		if block, err = aes.NewCipher(key); err == nil {
			var aead cipher.AEAD
			if aead, err = cipher.NewGCMWithRandomNonce(block); err == nil {
				clear(key)
				return aead
			}
		}
	}
	panic(err) // only for key lengths other than ours
}
