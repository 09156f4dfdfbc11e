package redisstore

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/sojournhq/sojourn"
)

// What keys name, T being eight characters of base64url, the Cluster's hash tag:
//
//	<prefix>s{T}rest      a record; of IDs of other shapes: s{T}:id
//	<prefix>g{T}          the generations of the owners whose tag is T
//	<prefix>o{T}owner     the owner's index: a sorted set, by deadline
//
// The T of a record is the beginning of its ID, the T of an owner ("home") is
// the beginning of the IDs that package sojourn gives to him: so they are the
// same, and all of a user's keys lie in one slot. IDs of other shapes, and those
// made with an OwnerKey, have a T of their own; then the record is "away".
//
// A Load knows the ID only, therefore the name of g{T} holds no owner; its value
// holds each owner in full, so two owners with one tag never mix.
const (
	tagChars = 8
	idChars  = 30 // of an ID that package sojourn made
)

const (
	maxID    = 128
	maxOwner = 255
)

// A place is where the parts of a record are kept.
type place struct {
	session    string // key of the record
	generation string // key of the owner's generation, "" for nobody
	index      string // key of the owner's index, "" for nobody
	member     string // of that index
	away       bool   // generation and index are in another slot than the record
}

func (s *Store) place(id sojourn.ID, owner string) place {
	tag := tagOf(id)
	p := place{session: s.sessionKey(id, tag)}
	if owner == "" {
		return p
	}
	home := homeOf(owner)
	p.away = home != tag
	p.generation, p.index = s.generationKey(home), s.indexKey(home, owner)
	p.member = "=" + string(id)
	if !p.away && own(id) {
		p.member = "." + string(id[tagChars:])
	}
	return p
}

// keys are those a script gets: all of one slot.
func (p *place) keys() []string {
	if p.index == "" || p.away {
		return []string{p.session}
	}
	return []string{p.session, p.generation, p.index}
}

func (s *Store) sessionKey(id sojourn.ID, tag string) string {
	if own(id) {
		return s.opt.Prefix + "s{" + tag + "}" + string(id[tagChars:])
	}
	return s.opt.Prefix + "s{" + tag + "}:" + string(id)
}

func (s *Store) generationKey(tag string) string { return s.opt.Prefix + "g{" + tag + "}" }

func (s *Store) indexKey(home, owner string) string { return s.opt.Prefix + "o{" + home + "}" + owner }

// idOf is the ID of an index's member.
func idOf(member, home string) (sojourn.ID, bool) {
	switch {
	case strings.HasPrefix(member, "."):
		return sojourn.ID(home + member[1:]), true
	case strings.HasPrefix(member, "="):
		return sojourn.ID(member[1:]), true
	}
	return "", false
}

// idOfKey is the ID of the record with that key.
func (s *Store) idOfKey(key string) (sojourn.ID, bool) {
	tag, rest, ok := strings.Cut(strings.TrimPrefix(key, s.opt.Prefix+"s{"), "}")
	if !ok || len(tag) != tagChars {
		return "", false
	}
	id := sojourn.ID(tag + rest)
	if foreign, ok := strings.CutPrefix(rest, ":"); ok {
		id = sojourn.ID(foreign)
	}
	return id, s.sessionKey(id, tagOf(id)) == key
}

// tagOf is the T of a record.
func tagOf(id sojourn.ID) string {
	if own(id) {
		return string(id[:tagChars])
	}
	return tag("sojourn id\x00" + string(id))
}

// homeOf is the T of an owner, see newID in package sojourn.
func homeOf(owner string) string { return tag("sojourn owner\x00" + owner) }

func tag(text string) string {
	sum := sha256.Sum256([]byte(text))
	var t [tagChars]byte
	base64.RawURLEncoding.Encode(t[:], sum[:tagChars*3/4])
	return string(t[:])
}

// own reports whether the ID has the shape of those that package sojourn makes.
func own(id sojourn.ID) bool {
	if len(id) != idChars {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func storable(id sojourn.ID, owner string) error {
	if id == "" || len(id) > maxID {
		return invalid("id of %d bytes: expected 1 to %d", len(id), maxID)
	}
	if len(owner) > maxOwner {
		return invalid("owner of %d bytes: expected at most %d", len(owner), maxOwner)
	}
	return nil
}
