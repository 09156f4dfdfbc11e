package webapi

import (
	"net/http"

	"github.com/sojournhq/sojourn"
)

// deviceBody is one session in the list of its owner. Its id is the session's
// handle: the ID itself never reaches a script.
type deviceBody struct {
	ID         string `json:"id"`
	Current    bool   `json:"current"`
	Label      string `json:"label"`
	UserAgent  string `json:"user_agent"`
	IP         string `json:"ip"`
	Created    int64  `json:"created_ms_ago"`
	LastSeen   int64  `json:"last_seen_ms_ago"`
	Expires    int64  `json:"expires_in_ms"`
	Persistent bool   `json:"persistent"`
}

// devices lists the sessions of the user, most recently seen first. A session
// of nobody lists itself only.
func (a *API) devices(w http.ResponseWriter, r *http.Request, _ string) error {
	_, st, err := a.active(w, r, background)
	if err != nil {
		return err
	}
	list, err := a.own(r, st)
	if err != nil {
		return err
	}
	body := struct {
		Devices []deviceBody `json:"devices"`
	}{make([]deviceBody, 0, len(list))}
	for _, d := range list {
		body.Devices = append(body.Devices, deviceBody{
			ID:         handle(d.ID),
			Current:    d.ID == st.ID,
			Label:      d.Label,
			UserAgent:  d.UserAgent,
			IP:         d.IP,
			Created:    millis(d.Now.Sub(d.Created)),
			LastSeen:   millis(d.Now.Sub(d.LastSeen)),
			Expires:    millis(d.IdleRemaining),
			Persistent: d.Persistent,
		})
	}
	writeJSON(w, http.StatusOK, "application/json", body)
	return nil
}

// revokeDevice ends one session of the user. It looks for it among their own,
// so another user's is as unknown as one that never was.
func (a *API) revokeDevice(w http.ResponseWriter, r *http.Request, id string) error {
	s, st, err := a.active(w, r, activity)
	if err != nil {
		return err
	}
	if id == handle(st.ID) {
		return a.logout(w, r, s)
	}
	list, err := a.own(r, st)
	if err != nil {
		return err
	}
	for _, d := range list {
		if handle(d.ID) != id {
			continue
		}
		if err := a.manager.Revoke(r.Context(), d.ID, sojourn.ReasonRevoked); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return problemf(codeNoDevice, "It is not, or no longer, among the user's sessions.")
}

func (a *API) own(r *http.Request, st sojourn.Status) ([]sojourn.Status, error) {
	if st.Owner == "" {
		return []sojourn.Status{st}, nil
	}
	return a.manager.List(r.Context(), st.Owner)
}
