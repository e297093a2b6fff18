package natsbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/testkit/natstest"
)

// TestUnfitServer: errors of a server that can't have the stream say what to do. While that may be mended, the node tries again.
func TestUnfitServer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		server func(*server.Options)
		node   func(*Options)
		taken  *jetstream.StreamConfig // a stream of another program
		want   string
	}{
		{name: "small messages", server: func(o *server.Options) { o.MaxPayload = 64 << 10 }, want: "max_payload of the NATS server is 65536 bytes"},
		{name: "without JetStream", server: func(o *server.Options) { o.JetStream = false }, want: "JetStream doesn't answer; enable it"},
		{name: "one server", node: func(o *Options) { o.Replicas = 3 }, want: "bus.nats.replicas needs as many NATS servers"},
		{name: "small store", server: func(o *server.Options) { o.JetStreamMaxStore = 8 << 20 }, want: "lower bus.nats.max_bytes"},
		{name: "without permissions", server: func(o *server.Options) {
			only := &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"x"}}}
			o.Users = []*server.User{{Username: "u", Password: "p", Permissions: only}}
		}, node: func(o *Options) { o.URL = strings.Replace(o.URL, "://", "://u:p@", 1) }, want: "needs more permissions"},
		{name: "no writer yet", node: func(o *Options) { o.Lead, o.Prefix = false, "other" }, want: "no server has created stream other yet: start one with bus.lead true"},
		{name: "subject taken", taken: &jetstream.StreamConfig{Name: "other", Subjects: []string{"ticklane.>"}}, want: "choose another bus.nats.stream"},
		{name: "bucket taken", taken: &jetstream.StreamConfig{Name: "KV_ticklane_lease", Subjects: []string{"other"}}, want: "choose another bus.nats.stream"},
		{name: "name taken", taken: &jetstream.StreamConfig{Name: "ticklane_ticks", Subjects: []string{"other"}}, want: "choose another bus.nats.stream"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := natstest.New(t, tt.server)
			if tt.taken != nil {
				if _, err := natstest.JetStream(t, s.URL()).CreateStream(t.Context(), *tt.taken); err != nil {
					t.Fatal(err)
				}
			}
			o := options(t, "a")
			o.URL = s.URL()
			if tt.node != nil {
				tt.node(&o)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			o.Logger = slog.New(slog.NewTextHandler(&watched{t.Output(), tt.want, cancel}, nil)) // or it tries again
			b, err := Connect(ctx, o)
			if err == nil {
				b.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// watched calls found when a text is written.
type watched struct {
	io.Writer
	text  string
	found func()
}

func (w *watched) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.text)) {
		w.found()
	}
	return w.Writer.Write(p)
}

// TestStreamTooSmall: the oldest message may be dropped while a node that starts asks for it.
func TestStreamTooSmall(t *testing.T) {
	err := explainOpen(fmt.Errorf("message 5: %w", jetstream.ErrMsgNotFound), nil)
	if !strings.Contains(err.Error(), "raise bus.nats.max_bytes") || !errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Error(err)
	}
}

// TestUnreachable: a node that reaches no server names the setting and the addresses, but no password.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := natstest.New(t, nil)
	s.Stop()
	host := strings.TrimPrefix(s.URL(), "nats://")
	o := options(t, "a")
	o.URL = "nats://user:p@ss@" + host + ", tls://secret@" + host + "/"
	want := "addresses=nats://" + host + ",tls://" + host
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var log bytes.Buffer
	o.Logger = slog.New(slog.NewTextHandler(&watched{io.MultiWriter(&log, t.Output()), want, cancel}, nil))
	_, err := Connect(ctx, o)
	if err == nil || !strings.Contains(err.Error(), host+", which is bus.nats.url: ") || !strings.Contains(log.String(), want) {
		t.Fatalf("error %v, log %s", err, &log)
	}
	if all := err.Error() + log.String(); strings.Contains(all, "p@ss") || strings.Contains(all, "secret") {
		t.Errorf("shown: %s", all)
	}
}

// TestWrongFiles: a node doesn't try again with files that can't be right.
func TestWrongFiles(t *testing.T) {
	t.Parallel()
	s := natstest.New(t, nil)
	wrong := writeFile(t, []byte("wrong"))
	for want, set := range map[string]func(*Options){
		"bus.nats.ca must be":                 func(o *Options) { o.CA = wrong },
		"bus.nats.cert and bus.nats.key must": func(o *Options) { o.Cert, o.Key = wrong, wrong },
		"bus.nats.credentials must be":        func(o *Options) { o.Credentials = wrong },
		"check the files of":                  func(o *Options) { o.Credentials = filepath.Join(t.TempDir(), "missing") },
		"the server has no TLS":               func(o *Options) { o.URL = strings.Replace(o.URL, "nats:", "tls:", 1) },
	} {
		o := options(t, "a")
		o.URL = s.URL()
		set(&o)
		connects(t, o, want)
	}
}
