package natsbus

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/internal/testkit"
)

// TestUncleanStop puts back the older indexes of the streams, as kill -9 leaves them. That the server reads the messages then is one record
// of level info, and no warning.
func TestUncleanStop(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	writeTicks(t, o, 20)
	files, err := filepath.Glob(filepath.Join(o.Dir, "jetstream", "*", "streams", "*", "msgs", "index.db"))
	if err != nil || len(files) < 3 {
		t.Fatalf("indexes %q, %v", files, err)
	}
	before := map[string][]byte{}
	for _, file := range files {
		if before[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	writeTicks(t, o, 20)
	for file, text := range before {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log testkit.Log
	o.Logger = slog.New(slog.NewTextHandler(io.MultiWriter(&log, t.Output()), nil))
	if end := writeTicks(t, o, 20); end.Seq != 60 {
		t.Errorf("the log ends at %v", end)
	}
	if log.Count("Stream state outdated") > 0 || log.Count("prior state file") > 0 || log.Count(`level=INFO msg="the store of the embedded NATS server is checked after an unclean stop"`) != 1 {
		t.Errorf("logged:\n%s", log.String())
	}
}

// TestStopWithRequests closes a bus while the server creates streams: all are created and closed, so nothing writes to the directory later.
func TestStopWithRequests(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	b, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	for i := range n {
		name := fmt.Sprint("s", i)
		if err := b.conn.PublishRequest("$JS.API.STREAM.CREATE."+name, "nowhere", fmt.Appendf(nil, `{"name":%q,"storage":"file"}`, name)); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	indexes, err := filepath.Glob(filepath.Join(o.Dir, "jetstream", "*", "streams", "s*", "msgs", "index.db"))
	if err != nil || len(indexes) != n {
		t.Errorf("%d of %d streams are closed, %v", len(indexes), n, err)
	}
}

// TestUnfitDirectory: an embedded server that can't start with its directory names the setting, the file and what to do.
func TestUnfitDirectory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file string // in the directory, which is a file itself if that is empty
		want string
	}{
		"a file":      {"", "data.dir: mkdir "},
		"no store":    {"jetstream", "embedded NATS server in data.dir, "},
		"no mark":     {markFile, markFile + " is damaged: invalid character 'r' looking for beginning of value: delete this file, or"},
		"a used lock": {"lock", "embedded NATS server: data.dir: "},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, "a")
			o.Dir = filepath.Join(t.TempDir(), "nats")
			file := filepath.Join(o.Dir, tt.file)
			if tt.file != "" {
				if err := os.Mkdir(o.Dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(file, []byte("rubbish"), 0o600); err != nil {
				t.Fatal(err)
			}
			if tt.file == "lock" {
				lock, err := lockFile(file)
				if err != nil {
					t.Fatal(err)
				}
				defer lock.Close()
			}
			connects(t, o, tt.want)
		})
	}
}

// TestWarningsOfTheServer: other warnings stay warnings.
func TestWarningsOfTheServer(t *testing.T) {
	var log testkit.Log
	l := serverLog{slog.New(slog.NewTextHandler(&log, nil)), &embedded{}}
	for _, text := range []string{"Filestore [s] Stream state checksum did not match", "Filestore [s] Recovering stream state from index errored: corrupt state file"} {
		l.Warnf("%s", text)
		if !strings.Contains(log.String(), `level=WARN msg="embedded NATS server: `+text+`"`) {
			t.Errorf("logged:\n%s", log.String())
		}
	}
}
