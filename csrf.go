package sojourn

func (h *head) setForm(secret *[16]byte) {
	h.flags, h.form = h.flags&^flagForm, secret
	if secret != nil {
		h.flags |= flagForm
	}
}
