package loadtest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// reportBase is the path of a report without extension; name is its file's where out is a folder.
func reportBase(out, name string) string {
	info, err := os.Stat(out)
	if strings.HasSuffix(out, "/") || strings.HasSuffix(out, string(filepath.Separator)) || err == nil && info.IsDir() {
		return filepath.Join(out, name)
	}
	return strings.TrimSuffix(strings.TrimSuffix(out, ".json"), ".html")
}

// writable tells why no report could be saved at out, and leaves nothing behind.
func writable(out string) error {
	base := reportBase(out, "report")
	for _, path := range []string{base + ".json", base + ".html"} {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// The folders that are missing will be made in the nearest that is there.
	dir := filepath.Dir(base)
	for {
		_, err := os.Stat(dir)
		if err == nil {
			break
		}
		if up := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && up != dir {
			dir = up
			continue
		}
		return err
	}
	f, err := os.CreateTemp(dir, ".ticklane-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}
