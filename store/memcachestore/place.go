package memcachestore

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
)

// Keys are prefix, kind, tag, rest. The tag, eight characters, chooses the server:
//
//	s  a record whose ID has the shape of ours: the ID, which begins with its owner's tag
//	h  any other record: the hash of its ID
//	g  the generations of the owners of one tag: that tag
//
// Hashing makes a key of any ID: without spaces, below 250 bytes.
type keys struct {
	prefix   string
	ownerKey []byte
}

const (
	idChars  = 30
	tagChars = 8
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

var b64 = base64.RawURLEncoding

func (k *keys) record(id sojourn.ID) string {
	if len(id) == idChars && !strings.ContainsFunc(string(id), func(r rune) bool { return !strings.ContainsRune(alphabet, r) }) {
		return k.prefix + "s" + string(id)
	}
	sum := sha256.Sum256([]byte("sojourn id\x00" + string(id)))
	return k.prefix + "h" + b64.EncodeToString(sum[:])
}

// owner is the key of the owner's generation.
func (k *keys) owner(owner string) string {
	const domain = "sojourn owner\x00" // the tag of package sojourn's IDs
	var sum []byte
	if len(k.ownerKey) > 0 {
		mac := hmac.New(sha256.New, k.ownerKey)
		mac.Write([]byte(domain + owner))
		sum = mac.Sum(nil)
	} else {
		plain := sha256.Sum256([]byte(domain + owner))
		sum = plain[:]
	}
	return k.prefix + "g" + b64.EncodeToString(sum[:6])
}

// guess is the key of the generation that a record most likely belongs to, given
// its own key; "" if its ID tells nothing.
func (k *keys) guess(record string) string {
	kind := len(k.prefix)
	if record[kind] != 's' {
		return ""
	}
	return k.prefix + "g" + record[kind+1:kind+1+tagChars]
}

// selector places tags on servers by rendezvous hashing: each server draws a
// number for the tag, and the highest wins. When a server is added or removed,
// only its own tags move.
type selector struct {
	skip    int // of a key, before the tag
	servers []server
}

type server struct {
	seed uint64
	addr address
}

// address is resolved when it is dialled, so that it may change in DNS.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

var _ memcache.ServerSelector = (*selector)(nil)

func newSelector(k *keys, servers []string) *selector {
	s := &selector{skip: len(k.prefix) + 1}
	for _, name := range servers {
		s.servers = append(s.servers, server{seed: fnv(fnvBasis, name), addr: address(name)})
	}
	return s
}

// PickServer chooses the server of a key.
func (s *selector) PickServer(key string) (net.Addr, error) {
	best, high := 0, uint64(0)
	if len(s.servers) > 1 {
		tag := key[s.skip:]
		tag = tag[:min(tagChars, len(tag))]
		for i := range s.servers {
			if draw := mix(fnv(s.servers[i].seed, tag)); i == 0 || draw > high {
				best, high = i, draw
			}
		}
	}
	return s.servers[best].addr, nil
}

// Each calls f for every server until one fails.
func (s *selector) Each(f func(net.Addr) error) error {
	for i := range s.servers {
		if err := f(s.servers[i].addr); err != nil {
			return err
		}
	}
	return nil
}

const fnvBasis = 14695981039346656037

// fnv continues FNV-1a, 64 bits.
func fnv(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix spreads a hash over all its bits: the finalizer of SplitMix64.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
