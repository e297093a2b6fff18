package describe

import (
	"testing"

	"ticklane/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
