package handlers

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// savedReport is one run of the load tester: a page to read and the JSON it was made from.
type savedReport struct {
	Name string    `json:"name"` // without ending: /reports/<name>.html, /reports/<name>.json
	When time.Time `json:"when"`
	Size int64     `json:"size"` // bytes of the page
	JSON bool      `json:"json"` // whether the figures are there, too
}

// saved lists the folder, newest first. A folder that doesn't exist is an empty list.
func (s *Server) saved() ([]savedReport, error) {
	entries, err := os.ReadDir(s.set.Reports)
	if errors.Is(err, fs.ErrNotExist) {
		return []savedReport{}, nil
	}
	if err != nil {
		return nil, err
	}
	figures := make(map[string]bool)
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			figures[name] = true
		}
	}
	list := []savedReport{}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".html")
		info, err := e.Info()
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue
		}
		list = append(list, savedReport{Name: name, When: info.ModTime(), Size: info.Size(), JSON: figures[name]})
	}
	slices.SortFunc(list, func(a, b savedReport) int {
		return cmp.Or(b.When.Compare(a.When), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// reportList is GET /reports: the page that lists them, and shows two side by side.
func (s *Server) reportList(c *fiber.Ctx) error {
	list, err := s.saved()
	if err != nil {
		return err
	}
	v := s.pages.view(c, "page.title.reports", "reports")
	v.Reports, v.Folder = list, s.set.Reports
	return s.application(c, "reports", v)
}

// reportNames is GET /api/reports.
func (s *Server) reportNames(c *fiber.Ctx) error {
	list, err := s.saved()
	if err != nil {
		return err
	}
	noStore(c)
	return c.JSON(fiber.Map{"reports": list})
}

// report is GET /reports/<name>.html and .json. The root keeps names and links from leaving the folder.
func (s *Server) report(c *fiber.Ctx) error {
	name, err := url.PathUnescape(strings.Clone(c.Params("name")))
	if err != nil {
		return fiber.ErrNotFound
	}
	if ext := path.Ext(name); ext != ".html" && ext != ".json" {
		return fiber.ErrNotFound
	}
	root, err := os.OpenRoot(s.set.Reports)
	if err != nil {
		return fiber.ErrNotFound
	}
	defer root.Close()
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return fiber.ErrNotFound // a pipe would hold the request up
	}
	body, err := root.ReadFile(name)
	if err != nil {
		return fiber.ErrNotFound
	}
	noCache(c)
	c.Set(fiber.HeaderContentType, mimeOf(name))
	return c.Send(body)
}
