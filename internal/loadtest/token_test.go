package loadtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/internal/auth"
	"ticklane/internal/stream"
)

// tokens is an Authenticator: each key is a token, and its value the rights.
type tokens map[string]string

func (all tokens) Verify(token string) (*auth.Principal, error) {
	rights, err := auth.ParseRights([]byte(all[token]))
	if err != nil {
		return nil, fmt.Errorf("%w: unknown", auth.ErrInvalid)
	}
	return &auth.Principal{Subject: token, Rights: rights}, nil
}

// TestTokenFile: clients and the API's requests send the token, which no report contains.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	url := startServerFor(t, &testServer{rate: 500, maxStreams: 100, engine: "stream", compress: stream.CompressOff, auth: tokens{
		"tl_everything": `[{"read":["*"],"may":["metrics"]}]`, "tl_nometrics": `[{"read":["*"]}]`, "tl_narrow": `[{"read":["sector:technology"],"may":["metrics"]}]`,
	}})
	with := func(token string) Options {
		o := smallOptions(t, url)
		o.Rounds, o.Variants = 1, []string{"sse", "ws", "ws+protobuf"}
		if token != "" {
			o.TokenFile = filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(o.TokenFile, []byte(token+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return o
	}
	r := mustRun(t, with("tl_everything"))
	for _, w := range r.Windows {
		if w.Ticks == 0 {
			t.Errorf("%s: no ticks", w.Variant)
		}
	}
	if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "tl_everything") {
		t.Errorf("the report has the token: %v", err)
	}
	for token, want := range map[string]string{"": "credentials", "tl_unknown": "not valid", "tl_nometrics": `right "metrics"`, "tl_narrow": "may not read all symbols"} {
		r, err := run(t, with(token))
		text := fmt.Sprint(err)
		if r != nil {
			for _, v := range r.Variants {
				text += v.Failed
			}
		}
		if err == nil || !strings.Contains(text, want) || token != "" && strings.Contains(text, token) {
			t.Errorf("token %q: %s", token, text)
		}
	}
}
