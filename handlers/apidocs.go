package handlers

import (
	"io/fs"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/apidoc"
)

// Files of the API's documents.
const (
	openapi  = "docs/api/openapi.yaml"
	asyncapi = "docs/api/asyncapi.yaml"
)

// apiDocs serves the OpenAPI and AsyncAPI documents and the page made from them.
type apiDocs struct {
	pages *pages
	load  func() (*apiDocuments, error) // takes some milliseconds, so it runs at the first request
}

type apiDocuments struct {
	byFile map[string]*apidoc.Document
	page   *apidoc.Page
}

func newAPIDocs(files fs.FS, p *pages) *apiDocs {
	return &apiDocs{pages: p, load: sync.OnceValues(func() (*apiDocuments, error) {
		d := &apiDocuments{byFile: make(map[string]*apidoc.Document)}
		for _, name := range []string{openapi, asyncapi} {
			doc, err := apidoc.Load(files, name)
			if err != nil {
				return nil, err
			}
			d.byFile[name] = doc
		}
		d.page = apidoc.Layout(d.byFile[openapi], d.byFile[asyncapi], http.StatusText)
		return d, nil
	})}
}

// yaml serves a document as application/yaml (RFC 9512).
func (a *apiDocs) yaml(name string) fiber.Handler {
	return a.document("application/yaml", func(d *apiDocuments) []byte { return d.byFile[name].YAML })
}

func (a *apiDocs) json(name string) fiber.Handler {
	return a.document(fiber.MIMEApplicationJSON, func(d *apiDocuments) []byte { return d.byFile[name].JSON })
}

func (a *apiDocs) document(mediaType string, body func(*apiDocuments) []byte) fiber.Handler {
	return func(c *fiber.Ctx) error {
		d, err := a.load()
		if err != nil {
			return err
		}
		noCache(c)
		c.Set(fiber.HeaderContentType, mediaType)
		return c.Send(body(d))
	}
}

// page is GET /docs. It works without scripts: its own script only changes the theme.
func (a *apiDocs) page(c *fiber.Ctx) error {
	d, err := a.load()
	if err != nil {
		return err
	}
	noCache(c)
	v := a.pages.view(c, "page.title.docs", "docs")
	v.Docs = d.page
	if !v.addBundle(a.pages.built, "docs") {
		v.Styles = []string{unbuiltStyle}
	}
	return c.Render("docs", v)
}

// part is a part of a document with the texts of its page, for a partial template.
type part struct {
	view
	Of any
}

// With returns the data of a partial template that shows a part of a document.
func (v view) With(of any) part { return part{v, of} }
