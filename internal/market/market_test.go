package market

import (
	"testing"

	"ticklane/internal/unhurried"
)

func TestMain(m *testing.M) { unhurried.Main(m) }
