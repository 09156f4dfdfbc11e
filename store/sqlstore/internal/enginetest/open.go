package enginetest

import (
	"strings"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn"
)

// OpensTogether opens an empty database from many places at once. open leaves its
// store to be closed at the end of the test.
func OpensTogether(t *testing.T, open func() (sojourn.Store, error)) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := open()
			if err != nil {
				t.Error(err)
				return
			}
			r := newRecord("")
			if err := s.Create(t.Context(), &r); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Refuses opens what cannot be opened. The error says want and keeps the secret.
func Refuses(t *testing.T, name string, open func() error, want string) {
	t.Run(name, func(t *testing.T) {
		err := open()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v: expected it to say %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), Secret) {
			t.Errorf("the error tells the password: %v", err)
		}
	})
}

// Secret is a password that no error may tell.
const Secret = "hunter2-secret"
