package dbsc

import (
	"context"
	"fmt"
	"net/http"

	"github.com/sojournhq/sojourn"
)

// A Binder binds the sessions of one Manager, and answers the browsers' requests
// about it. Safe for parallel use.
type Binder struct {
	opt        *Options
	attributes string
}

// New adds device binding to rules, from which sojourn.New makes the Manager, and
// returns what is to be served at Options.Path, within Manager.Handler.
func New(rules *sojourn.Options, opt *Options) (*Binder, error) {
	if err := check(rules); err != nil {
		return nil, err
	}
	settled, err := opt.settle()
	if err != nil {
		return nil, err
	}
	b := &Binder{opt: settled, attributes: attributes(rules)}
	rules.Guards = append(rules.Guards, b.admit)
	rules.Began = append(rules.Began, b.began)
	return b, nil
}

// Path is where the Binder is to be served: Options.Path.
func (b *Binder) Path() string { return b.opt.Path }

func (b *Binder) registerPath() string { return b.opt.Path + "register" }
func (b *Binder) refreshPath() string  { return b.opt.Path + "refresh" }

// ServeHTTP answers registrations and refreshes.
func (b *Binder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer func(http.ResponseWriter, *http.Request) error
	switch r.URL.Path {
	case b.registerPath():
		answer = b.register
	case b.refreshPath():
		answer = b.refresh
	default:
		refuse(w, problem{http.StatusNotFound, "not_found", "There is no such resource."})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, problem{http.StatusMethodNotAllowed, "method_not_allowed", "This resource answers POST."})
		return
	}
	if err := answer(w, r); err != nil {
		b.fail(w, r, err)
	}
}

// A State is where the binding of a session stands.
type State string

// The states of a binding.
const (
	StateNone    State = "none"    // there is no session
	StateUnbound State = "unbound" // the session works with its cookie alone
	StatePending State = "pending" // a device has registered, and not come back yet
	StateBound   State = "bound"   // only its device can use it
)

// State returns where the binding of the context's session stands.
func (b *Binder) State(ctx context.Context) (State, error) {
	s, err := sojourn.From(ctx)
	if err != nil {
		return StateNone, err
	}
	raw, err := s.Binding(ctx)
	if err != nil {
		return StateNone, fmt.Errorf("dbsc: state: %w", err)
	}
	exists, err := s.Exists(ctx)
	switch {
	case err != nil:
		return StateNone, fmt.Errorf("dbsc: state: %w", err)
	case !exists:
		return StateNone, nil
	case len(raw) == 0:
		return StateUnbound, nil
	}
	if k, err := decodeBinding(raw); err == nil && k.held == 0 {
		return StatePending, nil
	}
	return StateBound, nil
}
