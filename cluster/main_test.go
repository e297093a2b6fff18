//go:build linux

package main

import (
	"testing"

	"ticklane/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
