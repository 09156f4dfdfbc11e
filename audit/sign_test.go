package audit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/audit"
)

// The signature is the one of Standard Webhooks: a vector of its libraries.
func TestSignatureExample(t *testing.T) {
	h := http.Header{}
	h.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	if err := audit.Verify(secret(t), h, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)); err != nil {
		t.Error(err)
	}
}

func TestVerify(t *testing.T) {
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another secret, rather random"))
	both, err := audit.ParseSecret(secretText + " " + other)
	if err != nil {
		t.Fatal(err)
	}
	late, _ := audit.ParseSecret(other)
	var h http.Header
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		h = r.Header.Clone()
		body, _ = io.ReadAll(r.Body)
	}))
	defer srv.Close()
	w, err := audit.OpenWebhook(srv.URL, both, &audit.WebhookOptions{InsecureHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Observe(t.Context(), event(1))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for what, s := range map[string]audit.Secret{"old": secret(t), "new": late, "both": both} {
		if err := audit.Verify(s, h, body, now); err != nil {
			t.Errorf("the %s secret: %v", what, err)
		}
	}
	unknown, _ := audit.ParseSecret("whsec_" + base64.StdEncoding.EncodeToString([]byte("a third secret, quite unknown")))
	changed := func(key, value string) http.Header { c := h.Clone(); c.Set(key, value); return c }
	for what, err := range map[string]error{
		"a wrong secret": audit.Verify(unknown, h, body, now),
		"no secret":      audit.Verify(audit.Secret{}, h, body, now),
		"a changed body": audit.Verify(both, h, append(bytes.Clone(body), ' '), now),
		"a changed ID":   audit.Verify(both, changed("Webhook-Id", "x"), body, now),
		"a changed time": audit.Verify(both, changed("Webhook-Timestamp", fmt.Sprint(now.Unix()+1)), body, now),
		"no signature":   audit.Verify(both, changed("Webhook-Signature", ""), body, now),
		"an old one":     audit.Verify(both, h, body, now.Add(6*time.Minute)),
		"an early one":   audit.Verify(both, h, body, now.Add(-6*time.Minute)),
		"no time":        audit.Verify(both, changed("Webhook-Timestamp", "soon"), body, now),
	} {
		if !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	s := secret(t)
	in := struct {
		S Secretly
		s audit.Secret
		p *audit.Secret
	}{Secretly{s}, s, &s}
	var out strings.Builder
	for _, v := range []any{s, &s, in, &in} {
		fmt.Fprintf(&out, "%v %+v %#v %s %x %d %q", v, v, v, v, v, v, v)
		b, _ := json.Marshal(v)
		out.Write(b)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
	}
	raw, _ := base64.StdEncoding.DecodeString(secretText[6:])
	for _, form := range []string{secretText[6:16], fmt.Sprintf("%x", raw[:5]), strings.Trim(fmt.Sprint(raw[:5]), "[]"), string(raw[:5])} {
		if strings.Contains(out.String(), form) {
			t.Errorf("it shows as %q", form)
		}
	}
}

type Secretly struct{ audit.Secret }
