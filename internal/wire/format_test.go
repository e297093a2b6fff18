package wire

import "testing"

func TestNames(t *testing.T) {
	for f, want := range map[Format]string{SSEJSON: "sse json", WSJSON: "ws json", WSProto: "ws protobuf"} {
		if got := f.String(); got != want {
			t.Errorf("format %d is named %q, want %q", f, got, want)
		}
	}
}
