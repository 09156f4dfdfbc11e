package sqlstore

import (
	"errors"
	"fmt"
)

// ErrClosed is what operations return after [Store.Close].
var ErrClosed = errors.New("store is closed")

// wrap adds the package, the operation and, where the engine's own words do
// not say it, what an operator can do. A nil error stays nil.
func (s *Store) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlstore: %s: %w", op, s.dialect.explain(err))
}
