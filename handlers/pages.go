package handlers

import (
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/template/html/v2"

	"ticklane/internal/apidoc"
	"ticklane/internal/i18n"
	"ticklane/internal/wire"
)

// pages renders the views. It knows which browser files were built.
type pages struct {
	engine  *html.Engine
	texts   map[string]*i18n.Catalogue // by language
	built   map[string]string          // entry → URL, empty when the assets aren't built
	info    FeedInfo
	boot    fiber.Map
	version string
}

// FeedInfo is what the pages say of the feed.
type FeedInfo struct {
	Source string // "simulator" or "replay"
	Seed   int64
	File   string // its name, without folders
	Timed  bool   // due times are real, so latency means something
}

// view is the data of every template.
type view struct {
	Lang    string
	Title   string
	Page    string
	Styles  []string
	Scripts []string
	Version string
	Source  string
	Seed    int64
	File    string
	Boot    fiber.Map
	Text    template.JS // of the catalogue what the page's scripts use
	Speaks  string      // the language of Text

	Status int    // of an error
	Lead   string // of an error, in the page's language
	Detail string // of an error, in English; "" when the lead says it all

	Reports []savedReport
	Folder  string // of the reports

	Docs *apidoc.Page

	Lane   string // of a home page
	Script string
	User   string
	Topics string

	Plain *plain // the dashboard for those who run no scripts

	text *i18n.Catalogue
}

// T is a sentence in the page's language: {{.T "key" "name" value}}.
func (v view) T(key string, pairs ...any) string { return v.text.Text(key, pairs...) }

// Sector is a sector's name for people; one that the catalogue doesn't know goes by its own.
func (v view) Sector(name string) string {
	if key := "sector." + name; v.text.Has(key) {
		return v.text.Text(key)
	}
	return name
}

// Rich is a sentence that may hold `code` and [links](/).
func (v view) Rich(key string, pairs ...any) template.HTML { return v.text.HTML(key, pairs...) }

func newPages(files fs.FS, d Deps) (*pages, error) {
	views, err := fs.Sub(files, "views")
	if err != nil {
		return nil, err
	}
	p := &pages{engine: html.NewFileSystem(http.FS(views), ".html"), info: d.Feed, version: d.Version}
	if err := p.engine.Load(); err != nil {
		return nil, err
	}
	if p.texts, err = i18n.Load(views); err != nil {
		return nil, err
	}
	p.boot = fiber.Map{
		"source": d.Feed.Source, "seed": d.Feed.Seed, "file": d.Feed.File, "timed": d.Feed.Timed,
		"symbols": d.Stream.Universe().Len(), "version": d.Version, "lab": d.Lab != nil,
		"limits": fiber.Map{"topics": d.Settings.MaxTopics, "message": d.Settings.MessageSize},
	}
	manifest, err := fs.ReadFile(files, "public/assets/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(manifest, &p.built); err != nil {
		return nil, err
	}
	// Its name holds a hash, so that the tabs of another build never meet it.
	p.boot["worker"] = p.built["worker.js"]
	return p, nil
}

// view begins a page in the language of its request. title is a key of the catalogue.
func (p *pages) view(c *fiber.Ctx, title, page string) view {
	text := p.texts[negotiate(c)]
	return view{
		Lang: text.Lang(), Title: text.Text(title), Page: page, Version: p.version, Source: p.info.Source, Seed: p.info.Seed, File: p.info.File,
		Boot: p.boot, text: text,
	}
}

// negotiate chooses the language of a page by its address, the cookie and Accept-Language, and sets the headers that say so.
func negotiate(c *fiber.Ctx) string {
	c.Vary(fiber.HeaderAcceptLanguage, fiber.HeaderCookie)
	lang := i18n.Negotiate(c.Query("lang"), c.Cookies("lang"), c.Get(fiber.HeaderAcceptLanguage))
	c.Set(fiber.HeaderContentLanguage, lang)
	return lang
}

// dashboard is GET /.
func (s *Server) dashboard(c *fiber.Ctx) error {
	v := s.pages.view(c, "page.title", "watch")
	v.Plain = s.plainList(c)
	return s.application(c, "dashboard", v)
}

// compare is GET /compare.
func (s *Server) compare(c *fiber.Ctx) error {
	return s.application(c, "compare", s.pages.view(c, "page.title.compare", "compare"))
}

// application renders a page whose script is a built one of the same name. While the browser's files aren't built, it tells how
// to build them.
func (s *Server) application(c *fiber.Ctx, name string, v view) error {
	noCache(c)
	script := s.pages.built[name+".js"]
	if script == "" {
		c.Status(http.StatusServiceUnavailable)
		return c.Render("unbuilt", v, "")
	}
	v.Speaks, v.Text = v.Lang, v.text.Scripts(name)
	v.Scripts, v.Styles = []string{script}, []string{s.pages.built["app.css"]}
	if css := s.pages.built[name+".css"]; css != "" {
		v.Styles = append(v.Styles, css)
	}
	if err := c.Render(name, v); err != nil {
		return err
	}
	zipped(c)
	return nil
}

// zipped compresses a rendered page for who takes it so. Nothing in a page is secret, so its length tells nothing.
func zipped(c *fiber.Ctx) {
	c.Vary(fiber.HeaderAcceptEncoding)
	if accepted(listed(&c.Request().Header, fiber.HeaderAcceptEncoding), "gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		c.Response().SetBodyRaw(zip(c.Response().Body()))
	}
}

// home is GET /sse/home and /ws/home: the smallest page that shows a lane. Its query is the subscription's.
func (s *Server) home(lane wire.Lane) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q := &query{args: c.Context().QueryArgs()}
		v := s.pages.view(c, "page.title."+lane.String(), lane.String())
		v.Lane, v.Script = lane.String(), "/static/"+lane.String()+"-home.js"
		v.User = q.user()
		v.Topics = strings.Join(q.topics(s.stream.Universe(), s.set.MaxTopics).Names(), ",")
		if err := q.err(); err != nil {
			return err
		}
		noCache(c)
		return c.Render("home", v, "")
	}
}

// errorPage shows a problem to a person; its error says that it couldn't be rendered.
func (p *pages) errorPage(c *fiber.Ctx, of *problem) error {
	status := strconv.Itoa(of.Status)
	v := p.view(c, "error.title."+status, "")
	if !v.text.Has("error.title." + status) {
		v.Title = of.Title // a rare one, in the protocol's own words
	}
	v.Status, v.Lead, v.Detail = of.Status, v.T("error.lead.detail"), of.Detail
	if own := "error.lead." + status; v.text.Has(own) && (of.Detail == plainly[of.Status] || of.Status == http.StatusInternalServerError) {
		v.Lead, v.Detail = v.T(own), ""
	}
	v.Styles = []string{"/static/unbuilt.css"}
	if css := p.built["app.css"]; css != "" {
		v.Styles = []string{css}
	}
	return c.Render("error", v)
}

// noCache makes a browser ask again each time; a page names hashed files that a new version lacks.
func noCache(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "no-cache") }

// noStore keeps an answer that is true only now out of every cache.
func noStore(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "no-store") }
