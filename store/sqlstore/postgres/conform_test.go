package postgres

import (
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/storetest"
)

func TestConformance(t *testing.T) {
	conform(t, newDatabase(t), nil, time.Second, func() {
		shared(t).Kill()
		shared(t).Start()
	})
}

func conform(t *testing.T, url string, opt *Options, torture time.Duration, interrupt func()) {
	open := func(t *testing.T) sojourn.Store { return openURL(t, url, opt) }
	storetest.RunWith(t, open, &storetest.Options{
		Torture: torture,
		Reopen: func(t *testing.T, _ sojourn.Store) sojourn.Store {
			interrupt()
			return open(t)
		},
	})
}
