package sojourn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Key names one member of type T, which is kept as JSON:
//
//	const cart = sojourn.Key[Cart]("cart")
//
// Its methods work on the session of their context and are decoded on use; a
// member that does not fit T is ErrType, never a silent zero.
type Key[T any] string

// Get returns the member, or T's zero value if there is none.
func (k Key[T]) Get(ctx context.Context) (v T, err error) {
	v, _, err = k.Lookup(ctx)
	return v, err
}

// Lookup also tells whether there is one.
func (k Key[T]) Lookup(ctx context.Context) (v T, ok bool, err error) {
	s, err := From(ctx)
	if err != nil {
		return v, false, err
	}
	if err := s.use(ctx); err != nil {
		return v, false, err
	}
	defer s.unlock()
	if s.state != StateActive {
		return v, false, nil
	}
	return k.decode(&s.draft)
}

// Set stores the member. Of parallel requests the last to commit wins.
func (k Key[T]) Set(ctx context.Context, v T) error {
	s, err := From(ctx)
	if err != nil {
		return err
	}
	raw, err := k.encode(v)
	if err != nil {
		return err
	}
	return s.change(ctx, op{kind: opSet, key: string(k), raw: raw})
}

// Delete removes the member. It begins no session.
func (k Key[T]) Delete(ctx context.Context) error {
	s, err := From(ctx)
	if err != nil {
		return err
	}
	if err := s.useToWrite(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.state != StateActive {
		return nil
	}
	if _, ok := s.draft.get(string(k)); !ok && len(s.pending()) == 0 {
		return nil
	}
	return s.record(op{kind: opDelete, key: string(k)})
}

// Pop returns the member and removes it, as for a message shown once. Parallel
// requests may each show it; see Take.
func (k Key[T]) Pop(ctx context.Context) (v T, ok bool, err error) {
	if v, ok, err = k.Lookup(ctx); err != nil || !ok {
		return v, ok, err
	}
	return v, true, k.Delete(ctx)
}

// Take is Pop committed at once: of parallel callers, in any process, exactly
// one gets the value. For what may be used once: a code, a claim.
func (k Key[T]) Take(ctx context.Context) (v T, ok bool, err error) {
	s, err := From(ctx)
	if err != nil {
		return v, false, err
	}
	if err := s.useToWrite(ctx); err != nil {
		return v, false, err
	}
	defer s.unlock()
	if s.state != StateActive {
		return v, false, nil
	}
	err = s.record(op{kind: opFunc, key: string(k), fn: func(d *draft) (err error) {
		v, ok, err = k.decode(d)
		if err == nil && ok {
			d.delete(string(k))
		}
		return err
	}})
	if err == nil && !ok {
		s.room.ops = s.room.ops[:len(s.room.ops)-1]
		return v, false, nil
	}
	if err == nil {
		err = s.commit(ctx)
	}
	if err != nil {
		var none T
		return none, false, fmt.Errorf("sojourn: take %q: %w", string(k), err)
	}
	return v, ok, nil
}

// Update replaces the member by what f makes of it, and returns that. If
// another request changes the session meanwhile, f runs again on the newer
// value: it must have no other effect, and must not use the session.
func (k Key[T]) Update(ctx context.Context, f func(T) (T, error)) (v T, err error) {
	s, err := From(ctx)
	if err != nil {
		return v, err
	}
	err = s.change(ctx, op{kind: opFunc, key: string(k), fn: func(d *draft) error {
		old, _, err := k.decode(d)
		if err != nil {
			return err
		}
		if v, err = f(old); err != nil {
			return err
		}
		raw, err := k.encode(v)
		if err != nil {
			return err
		}
		return d.set(string(k), raw)
	}})
	return v, err
}

func (k Key[T]) decode(d *draft) (v T, ok bool, err error) {
	raw, ok := d.get(string(k))
	if !ok {
		return v, false, nil
	}
	if plain(raw, any(&v)) {
		return v, true, nil
	}
	v, err = k.unmarshal(raw)
	return v, true, err
}

func (k Key[T]) unmarshal(raw []byte) (v T, err error) {
	err = json.Unmarshal(raw, &v)
	if err == nil && string(raw) == "null" && !takesNull[T]() {
		err = errNull
	}
	if err != nil {
		var none T
		return none, typeError(string(k), raw, none, err)
	}
	return v, nil
}

var errNull = errors.New("null")

// takesNull reports whether null is a value of T: for others encoding/json
// would leave a zero in its place.
func takesNull[T any]() bool {
	t := reflect.TypeFor[T]()
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return true
	}
	_, custom := any((*T)(nil)).(json.Unmarshaler)
	return custom
}

// plain decodes the commonest members without encoding/json, which would move
// the variable to the heap: strings without escapes, whole numbers, booleans.
func plain(raw []byte, p any) bool {
	switch p := p.(type) {
	case *string:
		if n := len(raw); n >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
			*p = string(raw[1 : n-1])
			return true
		}
	case *int:
		n, err := strconv.Atoi(string(raw))
		*p = n
		return err == nil
	case *int64:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		*p = n
		return err == nil
	case *bool:
		*p = string(raw) == "true"
		return *p || string(raw) == "false"
	}
	return false
}

func (k Key[T]) encode(v T) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: member %q of type %T cannot be written as JSON: %w", ErrInvalid, string(k), v, err)
	}
	return raw, nil
}

// typeError tells what was found and what was expected, and no value.
func typeError(key string, raw []byte, want any, err error) error {
	var at *json.UnmarshalTypeError
	if errors.As(err, &at) && at.Field != "" {
		kind, _, _ := strings.Cut(at.Value, " ") // "number 12": the value stays out
		return fmt.Errorf("%w: %q is %s whose field %q is a JSON %s, expected %v (for %T)", ErrType, key, jsonKind(raw), at.Field, kind, at.Type, want)
	}
	return fmt.Errorf("%w: %q is %s, expected what fits %T", ErrType, key, jsonKind(raw), want)
}
