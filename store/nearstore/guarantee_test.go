package nearstore

import (
	"testing"
	"time"
)

func TestYoung(t *testing.T) {
	then := time.Now()
	wall := then.Round(0) // without the monotonic clock
	for name, c := range map[string]struct {
		now  time.Time
		want bool
	}{
		"at once":                    {then, true},
		"just before":                {then.Add(time.Second - 1), true},
		"just then":                  {then.Add(time.Second), false},
		"a wall clock, just before":  {wall.Add(time.Second - 1), true},
		"a wall clock, just then":    {wall.Add(time.Second), false},
		"a wall clock that was set":  {wall.Add(-time.Minute), false},
		"a clock that was set ahead": {wall.Add(time.Hour), false},
	} {
		if got := young(c.now, then, time.Second); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestGuarantees(t *testing.T) {
	for g, want := range map[Guarantee]time.Duration{
		Strict: 0, Bounded(0): 0, Bounded(-time.Second): 0, Bounded(time.Millisecond): time.Millisecond, Bounded(time.Hour): MaxBound,
	} {
		if g.within != want {
			t.Errorf("%v, expected %v", g.within, want)
		}
	}
	if s := New(nil, nil); s.caches() {
		t.Error("the default keeps records")
	}
}
