package webapi

import (
	"github.com/sojournhq/sojourn"
)

// A refusal is an error of the core that says what the user can do about it: see
// sojourn.ErrStepUp, ErrSessionLimit and ErrRateLimited.
type refusal interface{ Problem() map[string]any }

// refusals makes them problems, by the code they give.
var refusals = map[any]func(refusal) *problem{
	string(codeStepUpRequired): func(no refusal) *problem {
		p := problemf(codeStepUpRequired, "Let the user log in again, with what is required, and repeat the request.")
		p.extra = particulars(no)
		if c, ok := no.(interface{ Challenge() string }); ok {
			p.challenge = c.Challenge()
		}
		return p
	},
	string(codeSessionLimit): func(no refusal) *problem {
		p := problemf(codeSessionLimit, "One of the sessions has to end before another can begin.")
		p.extra = particulars(no)
		if d, ok := no.(interface{ Devices() []sojourn.Status }); ok && len(d.Devices()) > 0 {
			list := make([]deviceBody, 0, len(d.Devices()))
			for _, st := range d.Devices() {
				list = append(list, describe(st))
			}
			p.extra["devices"] = list
		}
		return p
	},
	string(codeRateLimited): func(refusal) *problem {
		return problemf(codeRateLimited, "Retry-After says when to try again. The session lives on.")
	},
}

// particulars are the members of a problem that only this one has.
func particulars(no refusal) map[string]any {
	m := no.Problem()
	delete(m, "code")
	return m
}
