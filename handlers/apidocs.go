package handlers

import (
	"fmt"
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
	yaml, json map[string]*content // by file
	page       *apidoc.Page
}

func newAPIDocs(files fs.FS, p *pages) *apiDocs {
	return &apiDocs{pages: p, load: sync.OnceValues(func() (*apiDocuments, error) {
		d := &apiDocuments{yaml: make(map[string]*content), json: make(map[string]*content)}
		byFile := make(map[string]*apidoc.Document)
		for _, name := range []string{openapi, asyncapi} {
			doc, err := apidoc.Load(files, name, p.base)
			if err != nil {
				return nil, err
			}
			byFile[name] = doc
			d.yaml[name] = newContent("application/yaml", doc.YAML) // RFC 9512
			d.json[name] = newContent(fiber.MIMEApplicationJSON, doc.JSON)
		}
		d.page = apidoc.Layout(byFile[openapi], byFile[asyncapi], http.StatusText)
		return d, nil
	})}
}

func (a *apiDocs) yaml(name string) fiber.Handler {
	return a.document(func(d *apiDocuments) *content { return d.yaml[name] })
}

func (a *apiDocs) json(name string) fiber.Handler {
	return a.document(func(d *apiDocuments) *content { return d.json[name] })
}

func (a *apiDocs) document(of func(*apiDocuments) *content) fiber.Handler {
	return func(c *fiber.Ctx) error {
		d, err := a.load()
		if err != nil {
			return err
		}
		noCache(c)
		return of(d).send(c)
	}
}

// page is GET /docs. It works without scripts: its own script only changes the theme.
func (a *apiDocs) page(c *fiber.Ctx) error {
	noCache(c)
	x, err := a.render(a.pages.view(c, "page.title.docs", "docs"))
	if err != nil {
		return err
	}
	return x.send(c)
}

// render returns the page in the language of v, which is rendered once.
func (a *apiDocs) render(v view) (*content, error) {
	d, err := a.load()
	if err != nil {
		return nil, err
	}
	return a.pages.constant.get("docs "+v.Lang, func() (*content, error) {
		v.Docs = d.page
		if a.pages.private { // the page is the same for all clients
			v.hideFeed()
		}
		if !v.addBundle(a.pages.built, "docs") {
			v.Styles = []string{v.Base + unbuiltStyle}
		}
		return a.pages.render("docs", layout, &v)
	})
}

// renderAll renders and compresses the page in every language, so that no request has to wait for it.
func (a *apiDocs) renderAll() error {
	for lang := range a.pages.texts {
		x, err := a.render(a.pages.viewIn(lang, "page.title.docs", "docs"))
		if err != nil {
			return fmt.Errorf("render /docs: %w", err)
		}
		x.gzip()
	}
	return nil
}

// part is a part of a document with the texts of its page, for a partial template.
type part struct {
	view
	Of any
}

// With returns the data of a partial template that shows a part of a document.
func (v view) With(of any) part { return part{v, of} }
