package sojourn

import "context"

// A Counter names a member that is a whole number. Additions commute: parallel
// requests add up exactly, and an addition whose answer was lost counts once.
type Counter string

// Get returns the number, 0 if there is none.
func (c Counter) Get(ctx context.Context) (int64, error) {
	s, err := From(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.use(ctx); err != nil {
		return 0, err
	}
	defer s.unlock()
	if s.state != StateActive {
		return 0, nil
	}
	return c.read(&s.draft)
}

// Add adds n and returns the sum as this request sees it; what parallel
// requests add comes on top when it commits.
func (c Counter) Add(ctx context.Context, n int64) (int64, error) {
	s, err := From(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.change(ctx, op{kind: opAdd, key: string(c), n: n}); err != nil {
		return 0, err
	}
	return c.Get(ctx)
}

func (c Counter) read(d *draft) (int64, error) {
	raw, ok := d.get(string(c))
	if !ok {
		return 0, nil
	}
	return decodeInt(string(c), raw)
}
