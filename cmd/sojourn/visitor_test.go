package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A visitor is a browser, as far as the server can tell: it keeps one cookie.
type visitor struct {
	client *http.Client
	url    string
	cookie string // name=value, "" for none
}

var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
}

func newVisitor(url string) *visitor { return &visitor{client: client, url: url} }

// do sends one request; an error means that no complete answer came.
func (v *visitor) do(method, path, body string, header ...string) (status int, answer map[string]any, err error) {
	req, err := http.NewRequest(method, v.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-Session-CSRF", "1")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if v.cookie != "" {
		req.Header.Set("Cookie", v.cookie)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, err
	}
	for _, c := range resp.Cookies() {
		v.cookie = c.Name + "=" + c.Value
		if c.MaxAge < 0 {
			v.cookie = ""
		}
	}
	json.Unmarshal(b, &answer) // no object: nil
	return resp.StatusCode, answer, nil
}

// must is do where anything but a success fails the test.
func (v *visitor) must(t *testing.T, method, path, body string, header ...string) map[string]any {
	t.Helper()
	status, answer, err := v.do(method, path, body, header...)
	if err != nil || status/100 != 2 {
		t.Fatalf("%s %s: %d %v %v", method, path, status, answer, err)
	}
	return answer
}

func (v *visitor) login(t *testing.T, user string) *visitor {
	t.Helper()
	v.must(t, "POST", "/demo/login", loginBody(user))
	return v
}

func loginBody(user string) string { return fmt.Sprintf(`{"user":%q,"remember":false}`, user) }

func (v *visitor) state(t *testing.T) string {
	t.Helper()
	s, _ := v.must(t, "GET", "/_session/v1/status", "")["state"].(string)
	return s
}

// token is the value of the cookie.
func (v *visitor) token() string {
	_, value, _ := strings.Cut(v.cookie, "=")
	return value
}
