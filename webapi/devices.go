package webapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/sojournhq/sojourn"
)

// deviceBody is one session in the list of its owner. Its id is the session's
// handle: the ID itself never reaches a script.
type deviceBody struct {
	ID         string `json:"id"`
	Current    bool   `json:"current"`
	Label      string `json:"label"`
	Name       string `json:"name"`
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
		b := describe(d)
		b.Current, b.Name = d.ID == st.ID, a.opt.DeviceName(d.UserAgent)
		body.Devices = append(body.Devices, b)
	}
	writeJSON(w, http.StatusOK, "application/json", body)
	return nil
}

func describe(d sojourn.Status) deviceBody {
	return deviceBody{
		ID:         handle(d.ID),
		Label:      d.Label,
		UserAgent:  d.UserAgent,
		IP:         d.IP,
		Created:    millis(d.Now.Sub(d.Created)),
		LastSeen:   millis(d.Now.Sub(d.LastSeen)),
		Expires:    millis(d.IdleRemaining),
		Persistent: d.Persistent,
	}
}

// labelDevice names one session of the user: a merge patch of its label.
func (a *API) labelDevice(w http.ResponseWriter, r *http.Request, id string) error {
	raw, err := a.body(w, r, mediaMergePatch, false)
	if err != nil {
		return err
	}
	fields, err := checkObject(raw)
	if err != nil {
		return err
	}
	label := ""
	if len(fields) != 1 || fields["label"] == nil || !field(fields, "label", &label) {
		return problemf(codeInvalidRequest, `Expected {"label":"…"}, or null for none.`)
	}
	s, st, err := a.active(w, r, activity)
	if err != nil {
		return err
	}
	list, err := a.own(r, st)
	if err != nil {
		return err
	}
	for _, d := range list {
		if handle(d.ID) != id {
			continue
		}
		err := s.LabelDevice(r.Context(), d.ID, label)
		if errors.Is(err, sojourn.ErrInvalid) {
			return problemf(codeInvalidRequest, "A label has at most 64 bytes and no control characters.")
		}
		if errors.Is(err, sojourn.ErrNotFound) {
			break
		}
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	}
	return problemf(codeNoDevice, "It is not, or no longer, among the user's sessions.")
}

// Device finds the session that a page means by a handle, the id of the devices
// in this API, among those of owner: for Session.LoginInstead and others that
// take an ID. sojourn.ErrNotFound if owner has none such.
func Device(ctx context.Context, m *sojourn.Manager, owner, id string) (sojourn.ID, error) {
	list, err := m.List(ctx, owner)
	if err != nil {
		return "", fmt.Errorf("webapi: device: %w", err)
	}
	for _, d := range list {
		if handle(d.ID) == id {
			return d.ID, nil
		}
	}
	return "", fmt.Errorf("webapi: device: %w", sojourn.ErrNotFound)
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
