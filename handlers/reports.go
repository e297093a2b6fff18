package handlers

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// reports serves the load tester's reports from a folder, which need not exist.
type reports struct {
	folder string
	pages  *pages
}

// list returns the reports in the folder, newest first.
func (r *reports) list() ([]savedReport, error) {
	entries, err := os.ReadDir(r.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return []savedReport{}, nil
	}
	if err != nil {
		return nil, err
	}
	figures := make(map[string]time.Time) // when each report was started
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			figures[name] = time.Time{}
			if e.Type().IsRegular() {
				figures[name] = started(filepath.Join(r.folder, e.Name()))
			}
		}
	}
	list := []savedReport{}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".html")
		info, err := e.Info()
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue
		}
		when, figured := figures[name]
		if when.IsZero() {
			when = info.ModTime()
		}
		list = append(list, savedReport{Name: name, When: when, Size: info.Size(), JSON: figured})
	}
	slices.SortFunc(list, func(a, b savedReport) int {
		return cmp.Or(b.When.Compare(a.When), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// started returns the member started of a report's JSON, the zero time if it has none. It is one of the first members; what
// follows it isn't read.
func started(file string) (when time.Time) {
	f, err := os.Open(file)
	if err != nil {
		return time.Time{}
	}
	defer f.Close()
	d := json.NewDecoder(io.LimitReader(f, 64<<10))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return time.Time{}
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			break
		}
		if name == "started" {
			if d.Decode(&when) != nil {
				break
			}
			return when
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			break
		}
	}
	return time.Time{}
}

// page is GET /reports: the page that lists the reports and compares two of them.
func (r *reports) page(c *fiber.Ctx) error {
	list, err := r.list()
	if err != nil {
		return err
	}
	key, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return r.pages.application(c, r.pages.constant, "reports", string(key), "page.title.reports", "reports",
		func(v *view) { v.Reports, v.Folder = list, r.folder })
}

// names is GET /api/reports.
func (r *reports) names(c *fiber.Ctx) error {
	list, err := r.list()
	if err != nil {
		return err
	}
	noStore(c)
	return c.JSON(fiber.Map{"reports": list})
}

// file is GET /reports/<name>.html and .json. os.Root keeps names and links from leaving the folder.
func (r *reports) file(c *fiber.Ctx) error {
	name, err := url.PathUnescape(strings.Clone(c.Params("name")))
	if err != nil {
		return fiber.ErrNotFound
	}
	if strings.ContainsAny(name, `/\`) { // an escaped separator; the list has no folders
		return fiber.ErrNotFound
	}
	if ext := path.Ext(name); ext != ".html" && ext != ".json" {
		return fiber.ErrNotFound
	}
	root, err := os.OpenRoot(r.folder)
	if err != nil {
		return fiber.ErrNotFound
	}
	defer root.Close()
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return fiber.ErrNotFound // reading a pipe would block
	}
	body, err := root.ReadFile(name)
	if err != nil {
		return fiber.ErrNotFound
	}
	noCache(c)
	return newContent(mediaType(name), body).send(c)
}
