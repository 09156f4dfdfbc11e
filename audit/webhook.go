package audit

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// WebhookOptions shape a Webhook. The zero value is ready for use.
type WebhookOptions struct {
	Options
	// InsecureHTTP permits a URL without TLS: whoever is on the way reads who is
	// logged in from where. For tests. Default false.
	InsecureHTTP bool
	// Attempts is how often a record is posted before it is given up. Default 8,
	// which with the waits below is about a minute.
	Attempts int
	// Backoff is the wait before the second attempt; it doubles with each, up to
	// MaxBackoff, and a random half of it is left out. A receiver's Retry-After
	// counts if it is longer, up to MaxBackoff. Default 500 ms, and 30 s.
	Backoff, MaxBackoff time.Duration
	// Timeout bounds one attempt. Default 10 s.
	Timeout time.Duration
	// Parallel is how many records may be on their way at once. With more than one
	// they may arrive in another order: Seq tells. Default 4.
	Parallel int
	// Transport posts. Default: a copy of http.DefaultTransport.
	Transport http.RoundTripper
}

func (o *WebhookOptions) settle() (*WebhookOptions, error) {
	s := WebhookOptions{}
	if o != nil {
		s = *o
	}
	inner, err := s.Options.settle()
	if err != nil {
		return nil, err
	}
	s.Options = *inner
	for _, n := range []struct {
		name string
		is   bool
	}{{"Attempts", s.Attempts < 0}, {"Backoff", s.Backoff < 0}, {"MaxBackoff", s.MaxBackoff < 0}, {"Timeout", s.Timeout < 0}, {"Parallel", s.Parallel < 0}} {
		if n.is {
			return nil, fmt.Errorf("%w: WebhookOptions.%s is negative", sojourn.ErrInvalid, n.name)
		}
	}
	s.Attempts = or(s.Attempts, 8)
	s.Backoff, s.MaxBackoff = or(s.Backoff, 500*time.Millisecond), or(s.MaxBackoff, 30*time.Second)
	s.Timeout, s.Parallel = or(s.Timeout, 10*time.Second), or(s.Parallel, 4)
	if s.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = s.Parallel
		s.Transport = t
	}
	return &s, nil
}

func or[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// A Webhook posts records to a URL. It is made by [OpenWebhook] and safe for
// parallel use.
type Webhook struct {
	opt    *WebhookOptions
	url    string
	host   string // for texts: the rest of a URL may be secret
	secret Secret
	client *http.Client
	queue  *queue
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	down   atomic.Bool
}

var _ sojourn.Observer = (*Webhook)(nil)

// OpenWebhook starts posting to an https URL, signed with secret: see [Verify] for
// the receiving side. A redirect is not followed; it is a failure. nil options stand
// for the defaults.
func OpenWebhook(to string, secret Secret, opt *WebhookOptions) (*Webhook, error) {
	o, err := opt.settle()
	if err != nil {
		return nil, fmt.Errorf("audit: open webhook: %w", err)
	}
	u, err := url.Parse(to)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		err = fmt.Errorf("%w: URL: expected one such as https://audit.example.com/sessions", sojourn.ErrInvalid)
	case u.Scheme == "http" && !o.InsecureHTTP:
		err = fmt.Errorf("%w: URL without TLS: expected https, since records say who is logged in from where", sojourn.ErrInvalid)
	case u.User != nil || u.Fragment != "":
		err = fmt.Errorf("%w: URL with a user or fragment: the signature authenticates", sojourn.ErrInvalid)
	case secret.keys == nil:
		err = fmt.Errorf("%w: no secret; ParseSecret makes one", sojourn.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("audit: open webhook: %w", err)
	}
	w := &Webhook{opt: o, url: to, host: u.Host, secret: secret, queue: newQueue(o.Queue)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.client = &http.Client{Transport: o.Transport, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range o.Parallel {
		w.work.Go(w.run)
	}
	return w, nil
}

// Observe implements [sojourn.Observer]. It never waits.
func (w *Webhook) Observe(ctx context.Context, e sojourn.Event) {
	if w.opt.wants(e.Kind) {
		w.queue.put(w.opt.record(ctx, e))
	}
}

// Stats returns the counts so far.
func (w *Webhook) Stats() Stats { return w.queue.stats() }

// Close delivers what is in the queue, for Options.CloseTimeout at most, then gives
// up what is left and fails, saying how much. Nothing runs when it returns.
func (w *Webhook) Close() error {
	w.queue.close()
	late := time.AfterFunc(w.opt.CloseTimeout, w.cancel)
	w.work.Wait()
	late.Stop()
	w.cancel()
	w.client.CloseIdleConnections()
	if n := w.queue.untold.Load(); n > 0 {
		return fmt.Errorf("audit: close: %d records did not reach %s", n, w.host)
	}
	return nil
}
