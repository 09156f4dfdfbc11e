package dbsc

import (
	"net/http"

	"github.com/dunglas/httpsfv"
)

// The headers of the protocol, all structured fields (RFC 9651).
const (
	headerRegistration = "Secure-Session-Registration"
	headerChallenge    = "Secure-Session-Challenge"
	headerResponse     = "Secure-Session-Response"
	headerID           = "Sec-Secure-Session-Id"
	headerSkipped      = "Secure-Session-Skipped"

	maxField = 8 << 10 // a proof with an RSA key of 4096 bits takes 2 KiB
)

// field reads a header that is one string. The draft writes it in quotes,
// Chromium (145 to 156) without, as a token: both are taken.
func field(h http.Header, name string) (value string, ok bool) {
	lines := h.Values(name)
	if len(lines) != 1 || len(lines[0]) > maxField {
		return "", false
	}
	item, err := httpsfv.UnmarshalItem(lines)
	if err != nil {
		return "", false
	}
	switch v := item.Value.(type) {
	case string:
		return v, v != ""
	case httpsfv.Token:
		return string(v), true
	}
	return "", false
}

// skipped returns why the browser sent this request without refreshing the
// session of that name, "" if it does not say so.
func skipped(h http.Header, name string) string {
	lines := h.Values(headerSkipped)
	if len(lines) == 0 || len(lines) > 8 || len(lines[0]) > maxField {
		return ""
	}
	list, err := httpsfv.UnmarshalList(lines)
	if err != nil {
		return ""
	}
	for _, m := range list {
		item, ok := m.(httpsfv.Item)
		if !ok {
			continue
		}
		reason, _ := item.Value.(httpsfv.Token)
		of, _ := item.Params.Get("session_identifier")
		if t, ok := of.(httpsfv.Token); ok {
			of = string(t)
		}
		switch reason {
		case "quota_exceeded", "unreachable", "server_error":
			if of == name {
				return string(reason)
			}
		}
	}
	return ""
}

// offer is the value of Secure-Session-Registration.
func offer(path, challenge string) (string, error) {
	list := httpsfv.InnerList{Params: httpsfv.NewParams()}
	for _, a := range algorithms {
		list.Items = append(list.Items, httpsfv.NewItem(httpsfv.Token(a)))
	}
	list.Params.Add("path", path)
	list.Params.Add("challenge", challenge)
	return httpsfv.Marshal(httpsfv.List{list})
}

// asking is the value of Secure-Session-Challenge.
func asking(challenge, name string) (string, error) {
	item := httpsfv.NewItem(challenge)
	item.Params.Add("id", name)
	return httpsfv.Marshal(item)
}
