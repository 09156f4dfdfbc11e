package dbsc

import (
	"errors"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
)

// refresh gives the device that proves itself another short-lived cookie.
func (b *Binder) refresh(w http.ResponseWriter, r *http.Request) error {
	s, st, err := session(r)
	if err != nil {
		return err
	}
	raw, err := s.Binding(r.Context())
	if err != nil {
		return err
	}
	name, ok := field(r.Header, headerID)
	k, err := decodeBinding(raw)
	if err != nil || !ok || name != k.name() { // before any signature is verified
		return errOther
	}
	if len(r.Header.Values(headerResponse)) == 0 {
		return b.ask(w, &st, k)
	}
	value, ok := field(r.Header, headerResponse)
	if !ok {
		return errProof
	}
	key, err := k.public()
	if err != nil {
		return err
	}
	p, err := readProof(value, key)
	if err != nil {
		return err
	}
	at, ok := k.answers(st.ID, p.challenge, st.Now, b.challengeFor())
	if !ok {
		return b.ask(w, &st, k)
	}
	err = s.Bind(r.Context(), func(old []byte) ([]byte, error) {
		current, err := decodeBinding(old)
		switch {
		case err != nil || current.id != k.id:
			return nil, errOther
		case at <= current.used: // a proof counts once, and only forward
			k.used = current.used
			return nil, errChallenge
		}
		if k.used, current.used = at, at; current.held == 0 {
			current.held = st.Now.UnixMicro()
		}
		return current.encode(), nil
	})
	switch {
	case errors.Is(err, errChallenge):
		return b.ask(w, &st, k)
	case err != nil:
		return err
	}
	return b.configure(w, &st, k)
}

// challengeFor is how old a challenge may be. Browsers keep the one that came
// with the last cookie until the next refresh; one that is older costs a second
// round, and a proof that malware signed ahead is worth nothing.
func (b *Binder) challengeFor() time.Duration { return b.opt.Lifetime + b.opt.Overlap }

// ask answers 403 with a challenge, at which the browser signs and comes again.
func (b *Binder) ask(w http.ResponseWriter, st *sojourn.Status, k *binding) error {
	if err := b.challenge(w.Header(), st, k); err != nil {
		return err
	}
	refuse(w, problem{http.StatusForbidden, "proof_required", "Sign the challenge of the header " + headerChallenge + "."})
	return nil
}

func (b *Binder) challenge(h http.Header, st *sojourn.Status, k *binding) error {
	value, err := asking(k.challenge(st.ID, st.Now), k.name())
	if err == nil {
		h.Set(headerChallenge, value)
	}
	return err
}
