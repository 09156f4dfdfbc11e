package live_test

import (
	"testing"

	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/live/planetest"
)

func TestInProcessBackplane(t *testing.T) {
	planetest.Run(t, func(_ *testing.T, keep live.Retention) []live.Backplane {
		plane := live.InProcess(keep)
		return []live.Backplane{plane, plane}
	})
}
