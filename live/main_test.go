package live_test

import (
	"os"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// TestMain fails the package if tests leave goroutines behind.
func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
