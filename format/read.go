package format

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/foreign"
)

// maxID leaves room in the IDs of the records beside.
const maxID = 100

// A view is what stands about one session at a moment.
type view struct {
	id      string
	raw     []byte // the other system's bytes
	doc     *Document
	expires time.Time
	beside  *sojourn.Record // ours, with Options.Beside
}

// Load reads the other system's record and asks at the same time whether it has
// ended here.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	v, tombstone, err := s.look(ctx, string(id))
	if err != nil {
		return tombstone, wrap("load", err)
	}
	r, err := s.record(v)
	return r, wrap("load", err)
}

// look reads all there is of a session: the tombstone with ErrNotFound.
func (s *Store) look(ctx context.Context, id string) (v *view, tombstone sojourn.Record, err error) {
	if err := ctx.Err(); err != nil {
		return nil, tombstone, err
	}
	if id == "" || len(id) > maxID {
		return nil, tombstone, sojourn.ErrNotFound
	}
	type answer struct {
		mark sojourn.Record
		err  error
	}
	marked := make(chan answer, 1)
	go func() {
		mark, err := s.side.Load(ctx, markID(s.d.Name, id))
		marked <- answer{mark, err}
	}()
	v, err = s.read(ctx, id)
	a := <-marked
	switch {
	case a.err == nil:
		return nil, sojourn.Record{ID: sojourn.ID(id), Dead: true, Version: 1, Expires: a.mark.Expires, Payload: a.mark.Payload}, sojourn.ErrNotFound
	case !errors.Is(a.err, sojourn.ErrNotFound):
		return nil, tombstone, fmt.Errorf("the store beside the records: %w", a.err)
	case err != nil:
		return nil, tombstone, err
	}
	if s.opt.Beside {
		err = s.lookBeside(ctx, v)
	}
	return v, tombstone, err
}

// read reads the other system's record.
func (s *Store) read(ctx context.Context, id string) (*view, error) {
	raw, expires, err := s.keep.Read(ctx, s.f.Key(id))
	if err != nil {
		return nil, err
	}
	return s.see(id, raw, expires)
}

func (s *Store) see(id string, raw []byte, expires time.Time) (*view, error) {
	if len(raw) > s.opt.MaxRecord {
		return nil, fmt.Errorf("%w: a record of %d bytes, Options.MaxRecord is %d", sojourn.ErrCorrupt, len(raw), s.opt.MaxRecord)
	}
	doc, err := s.f.Decode(raw)
	if err != nil {
		return nil, err
	}
	v := &view{id: id, raw: raw, doc: doc}
	if doc.Life <= 0 {
		doc.Life = s.d.Life
	}
	switch {
	case doc.Unending:
		v.expires = s.opt.Clock().Add(doc.Life)
	case !expires.IsZero():
		v.expires = expires.Add(-s.d.Slack)
	case !doc.Expires.IsZero():
		v.expires = doc.Expires
	default:
		v.expires = s.opt.Clock().Add(doc.Life)
	}
	if s.d.Inner && !doc.Expires.IsZero() && doc.Expires.Before(v.expires) {
		v.expires = doc.Expires
	}
	v.expires = v.expires.Truncate(time.Millisecond)
	return v, nil
}

// version is a hash of the stored bytes, and of what is beside them.
func (v *view) version() uint64 {
	h := sha256.New()
	h.Write(v.raw)
	if v.beside != nil {
		h.Write(binary.BigEndian.AppendUint64(nil, v.beside.Version))
	}
	return binary.BigEndian.Uint64(h.Sum(nil)) | 1
}

// record is the view in our own form.
func (s *Store) record(v *view) (sojourn.Record, error) {
	r := sojourn.Record{ID: sojourn.ID(v.id), Version: v.version(), Expires: v.expires, Owner: v.doc.Owner}
	members := make([]foreign.Member, 0, len(v.doc.Members))
	for _, m := range v.doc.Members {
		if !s.own(m.Key) {
			members = append(members, foreign.Member(m))
		}
	}
	var base []byte
	if v.beside != nil {
		r.Generation, r.OwnerGeneration = v.beside.Generation, v.beside.OwnerGeneration
		var own []foreign.Member
		var err error
		if base, own, err = foreign.Split(v.beside.Payload); err != nil {
			return r, fmt.Errorf("beside the record: %w", err)
		}
		members = append(members, own...)
	}
	head := foreign.Head{Revision: r.Version & (1<<53 - 1), Idle: v.doc.Life, Cookie: v.doc.CookieLife} // JavaScript counts no further
	var err error
	r.Payload, err = foreign.Compose(base, head, members)
	return r, err
}

// markID is where the store beside tells that a session has ended. To that store
// the mark is a live record of nobody.
func markID(format, id string) sojourn.ID {
	sum := sha256.Sum256([]byte("sojourn format " + format + "\x00" + id))
	return sojourn.ID(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// mark tells that a session has ended, for as long as something of it may turn up
// again. It reports whether this call was the first.
func (s *Store) mark(ctx context.Context, id string, payload []byte, until, expires time.Time) (first bool, err error) {
	if s.d.InCookie && until.Before(expires) { // a cookie cannot be taken back
		until = expires
	}
	err = s.side.Create(ctx, &sojourn.Record{ID: markID(s.d.Name, id), Expires: until, Payload: payload})
	if errors.Is(err, sojourn.ErrExists) {
		return false, nil
	}
	return err == nil, err
}
