package handlers

import (
	"io/fs"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/apidoc"
)

// Files of the descriptions.
const (
	openapi  = "docs/api/openapi.yaml"
	asyncapi = "docs/api/asyncapi.yaml"
)

// descriptions are what the server says of its API: for tools, and laid out for people.
type descriptions struct {
	of   map[string]*apidoc.Document
	page *apidoc.Page
}

// readDescriptions takes some milliseconds, so it waits until somebody asks.
func readDescriptions(files fs.FS) (*descriptions, error) {
	d := &descriptions{of: make(map[string]*apidoc.Document)}
	for _, name := range []string{openapi, asyncapi} {
		doc, err := apidoc.Load(files, name)
		if err != nil {
			return nil, err
		}
		d.of[name] = doc
	}
	d.page = apidoc.Layout(d.of[openapi], d.of[asyncapi], http.StatusText)
	return d, nil
}

// description is GET /api/openapi.yaml and its like. YAML has its type from RFC 9512.
func (s *Server) description(name string, json bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		d, err := s.told()
		if err != nil {
			return err
		}
		noCache(c)
		if json {
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return c.Send(d.of[name].JSON)
		}
		c.Set(fiber.HeaderContentType, "application/yaml")
		return c.Send(d.of[name].YAML)
	}
}

// docs is GET /docs. It needs no script: the built one only changes the theme.
func (s *Server) docs(c *fiber.Ctx) error {
	d, err := s.told()
	if err != nil {
		return err
	}
	noCache(c)
	v := s.pages.view(c, "page.title.docs", "docs")
	v.Docs = d.page
	if css := s.pages.built["docs.css"]; css != "" {
		v.Speaks, v.Text = v.Lang, v.text.Scripts("docs")
		v.Scripts, v.Styles = []string{s.pages.built["docs.js"]}, []string{s.pages.built["app.css"], css}
	} else {
		v.Styles = []string{"/static/unbuilt.css"}
	}
	return c.Render("docs", v)
}

// part is something of the descriptions with the words that stand around it, for a partial template.
type part struct {
	view
	Of any
}

// With hands a partial both.
func (v view) With(of any) part { return part{v, of} }
