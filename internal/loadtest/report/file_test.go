package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSave(t *testing.T) {
	dir := t.TempDir()
	r := twoVariants()
	for _, c := range []struct{ out, base string }{
		{dir + "/new/", dir + "/new/2026-03-01T142501Z-sse-ws"},
		{dir, dir + "/2026-03-01T142501Z-sse-ws"},
		{dir + "/deep/er/standard", dir + "/deep/er/standard"},
		{dir + "/named.html", dir + "/named"},
	} {
		text, page, err := r.Save(c.out)
		if err != nil || text != c.base+".json" || page != c.base+".html" {
			t.Errorf("%s: %s, %s, %v", c.out, text, page, err)
			continue
		}
		var back Report
		b, err := os.ReadFile(text)
		if err = errors.Join(err, json.Unmarshal(b, &back)); err != nil || back.Headline != r.Headline || len(back.Windows) != 10 {
			t.Errorf("%s: %v", text, err)
			continue
		}
		// The JSON contains everything that the page shows.
		again, err := back.HTML()
		if want, _ := os.ReadFile(page); err != nil || !bytes.Equal(again, want) {
			t.Errorf("%s: the page of the report that was read back differs: %v", text, err)
		}
	}
	file := filepath.Join(dir, "named.html")
	if _, _, err := r.Save(file + "/x"); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("a folder that is a file: %v", err)
	}
}
