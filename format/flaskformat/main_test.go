package flaskformat

import (
	"os"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
