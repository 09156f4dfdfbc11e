package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

var (
	server  = testenv.Shared(func(t testenv.TB) *testenv.Redis { return testenv.StartRedis(t, nil) })
	servers = testenv.Shared(func(t testenv.TB) *testenv.RedisCluster { return testenv.StartRedisCluster(t, nil) })
)

var errNotYet = errors.New("not yet")

func open(t testing.TB, url string, opt *Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// refused opens what must not open, and returns why.
func refused(t *testing.T, url string, opt *Options) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := Open(ctx, url, opt)
	if err == nil {
		s.Close()
		t.Fatalf("%s opened", url)
	}
	if !strings.HasPrefix(err.Error(), "redisstore: open: ") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error %q", err)
	}
	return err
}

func random() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// newRecord has an ID as package sojourn makes them.
func newRecord(owner string) sojourn.Record {
	id := tag(random())
	if owner != "" {
		id = homeOf(owner)
	}
	return sojourn.Record{
		ID: sojourn.ID(id + random() + random()[:6]), Owner: owner,
		Expires: time.Now().Add(time.Hour), Payload: []byte("payload " + random()),
	}
}

func create(t testing.TB, s *Store, owner string) sojourn.Record {
	t.Helper()
	r := newRecord(owner)
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func revocation(r sojourn.Record) sojourn.RevokedRecord {
	return sojourn.RevokedRecord{ID: r.ID, Owner: r.Owner, Reason: sojourn.ReasonLogout, At: time.Now(), Until: time.Now().Add(10 * time.Minute)}
}

// A logBook is a logger whose lines tests can read.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
