package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRollingFlags(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-engine body", `-engine: unknown "body"`},
		{"-compress br", `-compress: unknown "br"`},
		{"-symbols 0", "-symbols"},
		{"-timeout 1h", "-timeout"},
		{"-pause -1s", "-pause"},
		{"-rate 0", "-rate"},
		{"-clients 20000", "-clients 20000"},
		{"-nats-server none", "-nats-server"},
		{"connect", "only flags"},
	} {
		err := runRolling(t.Context(), strings.Fields("-ticklane true "+tt.args), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.args, err)
		}
	}
}
