package sojourn

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// Fields views the session as a struct T whose top-level JSON fields are
// members, so that it merges with keys and with parallel requests by the same
// rule: member by member.
//
//	var data sojourn.Fields[struct {
//		Cart  []Item `json:"cart"`
//		Theme string `json:"theme,omitempty"`
//	}]
//
// Members that T does not know stay as they are. An omitempty field that is
// empty removes its member.
type Fields[T any] struct{}

// Load fills a T from the members; those missing stay zero.
func (Fields[T]) Load(ctx context.Context) (v T, err error) {
	if err := checkStruct[T](); err != nil {
		return v, err
	}
	s, err := From(ctx)
	if err != nil {
		return v, err
	}
	if err := s.use(ctx); err != nil {
		return v, err
	}
	defer s.unlock()
	if s.state != StateActive {
		return v, nil
	}
	v, _, err = loadFields[T](&s.draft)
	return v, err
}

// Update lets f change the struct and stores the fields that differ. Like
// Key.Update, f may run again on newer data.
func (Fields[T]) Update(ctx context.Context, f func(*T) error) (v T, err error) {
	if err := checkStruct[T](); err != nil {
		return v, err
	}
	s, err := From(ctx)
	if err != nil {
		return v, err
	}
	err = s.change(ctx, op{kind: opFunc, fn: func(d *draft) error {
		var before map[string]json.RawMessage
		var err error
		if v, before, err = loadFields[T](d); err != nil {
			return err
		}
		if err := f(&v); err != nil {
			return err
		}
		after, err := split(v)
		if err != nil {
			return err
		}
		for key, raw := range after {
			if !bytes.Equal(raw, before[key]) {
				if err := d.set(key, raw); err != nil {
					return err
				}
			}
		}
		for key := range before {
			if _, ok := after[key]; !ok {
				d.delete(key)
			}
		}
		return nil
	}})
	return v, err
}

// loadFields decodes T and returns its members as T itself writes them.
func loadFields[T any](d *draft) (v T, before map[string]json.RawMessage, err error) {
	raw, err := json.Marshal(d.members())
	if err != nil {
		return v, nil, fmt.Errorf("%w: members: %w", ErrCorrupt, err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		var none T
		return none, nil, typeError("session", raw, none, err)
	}
	before, err = split(v)
	return v, before, err
}

func split(v any) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %T cannot be written as JSON: %w", ErrInvalid, v, err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, fmt.Errorf("%w: %T is written as %s, expected an object", ErrInvalid, v, jsonKind(raw))
	}
	return members, nil
}

func checkStruct[T any]() error {
	if t := reflect.TypeFor[T](); t.Kind() != reflect.Struct {
		return fmt.Errorf("%w: Fields of %v, expected a struct", ErrInvalid, t)
	}
	return nil
}
