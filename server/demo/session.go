package demo

import (
	"fmt"
	"maps"
	"net/http"
	"unicode/utf8"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/dbsc"
)

// What the demo keeps in a session. Cart and note are also written by the
// browser; visits only here.
var (
	cart   = sojourn.Key[map[string]int]("cart") // product ID to quantity
	note   = sojourn.Key[string]("note")
	visits = sojourn.Counter("visits")
)

// Readable and Writable are the members that the browser may read and write
// through the session API.
var (
	Readable = []string{"cart", "note", "visits"}
	Writable = []string{"cart", "note"}
)

const (
	maxQuantity = 99
	maxNote     = 2000 // characters
)

// me tells who is logged in and what the SDK's status leaves out. The page asks
// after every change of the session, so this is not an activity of the user.
func (d *demo) me(w http.ResponseWriter, r *http.Request) {
	s, err := sojourn.From(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	s.Passive()
	st, err := s.Status(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	var answer struct {
		User       *user `json:"user"`
		Persistent bool  `json:"persistent"`
		// Absolute is the whole absolute lifetime, in ms; 0 without a session.
		Absolute int64 `json:"absolute_ms"`
		// Binding is where the binding to the device stands, if there are any.
		Binding dbsc.State `json:"binding,omitempty"`
	}
	if st.State == sojourn.StateActive {
		if u, ok := userByID(st.Owner); ok {
			answer.User = &u
		}
		began := st.Created
		if st.AuthTime.After(began) {
			began = st.AuthTime
		}
		answer.Persistent = st.Persistent
		answer.Absolute = (st.AbsoluteRemaining + st.Now.Sub(began)).Milliseconds()
	}
	if d.binder != nil {
		if answer.Binding, err = d.binder.State(r.Context()); err != nil {
			d.fail(w, r, err)
			return
		}
	}
	reply(w, answer)
}

// login begins the user's session: always with a new ID and a new secret.
func (d *demo) login(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		User     string `json:"user"`
		Remember bool   `json:"remember"`
	}
	if !d.read(w, r, &ask) {
		return
	}
	u, ok := userByID(ask.User)
	if !ok {
		problem(w, http.StatusBadRequest, "unknown_user", "There is no such demo user.")
		return
	}
	s, err := sojourn.From(r.Context())
	if err == nil {
		err = s.Login(r.Context(), u.ID)
	}
	if err == nil {
		err = s.Remember(r.Context(), ask.Remember)
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	reply(w, map[string]any{"user": u})
}

// visit counts. Parallel visits add up.
func (d *demo) visit(w http.ResponseWriter, r *http.Request) {
	n, err := visits.Add(r.Context(), 1)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	reply(w, map[string]any{"visits": n})
}

// addToCart is for visitors without a session, which the session API never
// begins. It merges like the browser does, so it is right with one, too.
func (d *demo) addToCart(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Item     string `json:"item"`
		Quantity int    `json:"quantity"`
	}
	if !d.read(w, r, &ask) {
		return
	}
	if !productExists(ask.Item) || ask.Quantity < 1 || ask.Quantity > maxQuantity {
		problem(w, http.StatusBadRequest, "bad_item", fmt.Sprintf("Expected an item of the shop and a quantity of 1 to %d.", maxQuantity))
		return
	}
	now, err := cart.Update(r.Context(), func(old map[string]int) (map[string]int, error) {
		c := maps.Clone(old)
		if c == nil {
			c = map[string]int{}
		}
		c[ask.Item] = min(c[ask.Item]+ask.Quantity, maxQuantity)
		return c, nil
	})
	if err != nil {
		d.fail(w, r, err)
		return
	}
	reply(w, map[string]any{"cart": now})
}

// keepNote is for visitors without a session, like addToCart.
func (d *demo) keepNote(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Note string `json:"note"`
	}
	if !d.read(w, r, &ask) {
		return
	}
	if utf8.RuneCountInString(ask.Note) > maxNote {
		problem(w, http.StatusBadRequest, "bad_note", fmt.Sprintf("A note has at most %d characters.", maxNote))
		return
	}
	if err := note.Set(r.Context(), ask.Note); err != nil {
		d.fail(w, r, err)
		return
	}
	reply(w, map[string]any{"note": ask.Note})
}
