package loadtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutIsCheckedFirst: an --out that can't be written is reported before anything is measured, and the check leaves no file
// behind.
func TestOutIsCheckedFirst(t *testing.T) {
	dir := t.TempDir()
	file, folder, shut := filepath.Join(dir, "file"), filepath.Join(dir, "folder.json"), filepath.Join(dir, "shut")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), os.Mkdir(folder, 0o700), os.Mkdir(shut, 0o500)); err != nil {
		t.Fatal(err)
	}
	bad := []string{file + "/report", file + "/", file + "/deep/er/", filepath.Join(dir, "folder"), dir + "/a\x00b"}
	if os.Geteuid() != 0 {
		bad = append(bad, shut, shut+"/report", shut+"/new/")
	}
	for _, out := range bad {
		o := smallOptions(t, "http://127.0.0.1:1")
		o.Out = out
		var usage *UsageError
		if err := o.Check(); !errors.As(err, &usage) || len(usage.Problems) != 1 || !strings.HasPrefix(usage.Problems[0], "--out ") {
			t.Errorf("%q: %v", out, err)
		}
	}
	for _, out := range []string{"", dir, dir + "/new/", dir + "/deep/er/report", dir + "/named.html", file} {
		o := smallOptions(t, "http://127.0.0.1:1")
		o.Out = out
		if err := o.Check(); err != nil {
			t.Errorf("%q: %v", out, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("the check left files behind: %v, %v", left, err)
	}
}
