package sojourn

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// SKELETON: signatures only, replaced by the real files.

func encodeTombstone(r Reason, at time.Time) []byte { return []byte(string(r)) }

// A Manager joins a Store with the rules its sessions live by.
type Manager struct{}

// New checks opt (nil: the defaults) and returns a Manager. It does no I/O and starts nothing.
func New(store Store, opt *Options) (*Manager, error) { panic("todo") }

// Handler puts a session into each request's context and commits it before the first byte of the answer.
func (m *Manager) Handler(next http.Handler) http.Handler { panic("todo") }

// Options returns the settled options (defaults filled in).
func (m *Manager) Options() Options { panic("todo") }

// Open returns the session of that ID for use outside a request (ErrNotFound, ErrUnavailable). Never touches; changes are stored by Session.Save.
func (m *Manager) Open(ctx context.Context, id ID) (*Session, error) { panic("todo") }

// Create begins a session outside a request; owner may be "".
func (m *Manager) Create(ctx context.Context, owner string) (*Session, Token, error) { panic("todo") }

// Authenticate opens the session a token text belongs to, checking its secret.
func (m *Manager) Authenticate(ctx context.Context, token string) (*Session, error) { panic("todo") }

// List returns the statuses of the owner's live sessions, most recently seen first.
func (m *Manager) List(ctx context.Context, owner string) ([]Status, error) { panic("todo") }

// Inspect returns the status of any session by ID, ended ones included (State none if unknown).
func (m *Manager) Inspect(ctx context.Context, id ID) (Status, error) { panic("todo") }

// Revoke ends one session; no error if it is gone already.
func (m *Manager) Revoke(ctx context.Context, id ID, reason Reason) error { panic("todo") }

// RevokeOwner ends all sessions of an owner, also those that are just beginning.
func (m *Manager) RevokeOwner(ctx context.Context, owner string) error { panic("todo") }

// RevokeOthers ends all sessions of keep's owner but keep.
func (m *Manager) RevokeOthers(ctx context.Context, keep *Session) error { panic("todo") }

// Sweep removes expired records once, in bounded batches, and returns how many.
func (m *Manager) Sweep(ctx context.Context) (int, error) { panic("todo") }

// Run sweeps about once a minute until ctx ends.
func (m *Manager) Run(ctx context.Context) error { panic("todo") }

// Close waits for touches under way; it does not close the store.
func (m *Manager) Close() error { panic("todo") }

// A Session is the session of one request, or one opened by ID. Methods are safe for parallel use.
type Session struct{}

// From returns the session of ctx, or ErrNoMiddleware.
func From(ctx context.Context) (*Session, error) { panic("todo") }

// NewContext carries s, for keys used outside a request.
func NewContext(ctx context.Context, s *Session) context.Context { panic("todo") }

func (s *Session) Exists(ctx context.Context) (bool, error)  { panic("todo") }
func (s *Session) ID(ctx context.Context) (ID, error)        { panic("todo") } // "" if none
func (s *Session) Owner(ctx context.Context) (string, error) { panic("todo") } // "" for nobody or none
func (s *Session) Status(ctx context.Context) (Status, error) { panic("todo") }

// Login makes owner the session's user: always a new ID and secret.
func (s *Session) Login(ctx context.Context, owner string) error { panic("todo") }

// Logout ends the session at once (reason logout) and deletes the cookie. None is no error.
func (s *Session) Logout(ctx context.Context) error { panic("todo") }

// Revoke ends it at once with a reason of the caller's.
func (s *Session) Revoke(ctx context.Context, reason Reason) error { panic("todo") }

// Renew gives it a new secret (soft: the old one works until the new one was used, and for Grace after).
func (s *Session) Renew(ctx context.Context) error { panic("todo") }

// RenewNow: the old secret is dead at the commit (privilege change).
func (s *Session) RenewNow(ctx context.Context) error { panic("todo") }

// Extend moves the idle deadline now. ErrNotFound without a session; ErrAbsoluteLimit.
func (s *Session) Extend(ctx context.Context) error { panic("todo") }

// SetPolicy overrides the manager's policy for this session.
func (s *Session) SetPolicy(ctx context.Context, p Policy) error { panic("todo") }

// Remember makes the session and its cookie persistent (Options.Remember), or undoes it.
func (s *Session) Remember(ctx context.Context, on bool) error { panic("todo") }

// SetLabel names this device.
func (s *Session) SetLabel(ctx context.Context, label string) error { panic("todo") }

// Passive marks the request as not an activity of the user: it never extends the session.
func (s *Session) Passive() { panic("todo") }

// Save commits what was changed so far. Needed outside requests only.
func (s *Session) Save(ctx context.Context) error { panic("todo") }

// Members returns all members as raw JSON (a copy) with the data revision.
func (s *Session) Members(ctx context.Context) (map[string]json.RawMessage, uint64, error) { panic("todo") }

// Patch sets members (nil value deletes) and commits at once, only if the stored data revision
// is ifRevision (nil: whatever). Returns the new revision; on ErrConflict the current one.
func (s *Session) Patch(ctx context.Context, changes map[string]json.RawMessage, ifRevision *uint64) (revision uint64, err error) { panic("todo") }

// A Key names one member of type T.
type Key[T any] string

// Get decodes the member; absent gives the zero value and no error. Wrong type: ErrType.
func (k Key[T]) Get(ctx context.Context) (v T, err error) { panic("todo") }

// Lookup also tells whether the member is there.
func (k Key[T]) Lookup(ctx context.Context) (v T, ok bool, err error) { panic("todo") }
func (k Key[T]) Set(ctx context.Context, v T) error               { panic("todo") }
func (k Key[T]) Delete(ctx context.Context) error                 { panic("todo") }

// Pop reads and deletes (flash messages); ok false if absent.
func (k Key[T]) Pop(ctx context.Context) (v T, ok bool, err error) { panic("todo") }

// Take is Pop committed at once: of parallel callers exactly one gets the value.
func (k Key[T]) Take(ctx context.Context) (v T, ok bool, err error) { panic("todo") }

// Update changes the member by f, which may run more than once.
func (k Key[T]) Update(ctx context.Context, f func(T) (T, error)) (T, error) { panic("todo") }

// A Counter is an integer member; parallel additions add up.
type Counter string

func (c Counter) Get(ctx context.Context) (int64, error)              { panic("todo") }
func (c Counter) Add(ctx context.Context, n int64) (int64, error)      { panic("todo") } // returns the value as this request sees it

// Fields views the whole session as a struct whose top-level JSON fields are members.
type Fields[T any] struct{}

func (Fields[T]) Load(ctx context.Context) (T, error)                             { panic("todo") }
func (Fields[T]) Update(ctx context.Context, f func(*T) error) (T, error) { panic("todo") }
