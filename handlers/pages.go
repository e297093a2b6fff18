package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/template/html/v2"

	"ticklane/internal/apidoc"
	"ticklane/internal/auth"
	"ticklane/internal/i18n"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// pages renders the HTML pages.
type pages struct {
	engine    *html.Engine
	texts     map[string]*i18n.Catalogue // by language
	built     map[string]string          // URLs of the bundles by name; empty if the browser code wasn't built
	views     *feedViews
	feed      FeedInfo
	boot      fiber.Map
	version   string
	base      string // path before that of every address
	maxTopics int
	private   bool                  // the server requires credentials
	mayLab    func(*fiber.Ctx) bool // reports whether a client may use the lab by the address of its request; nil if the lab is disabled
	// mayCluster reports whether a client may see the page of the nodes; nil if the server is alone.
	mayCluster func(*fiber.Ctx) bool
	admin      func(*fiber.Ctx) bool // reports whether a request came to server.admin_addr, which has no other pages
	constant   *answers              // pages without quotes
}

// view is the data of every template.
type view struct {
	Lang    string
	Base    string // path before that of every address
	Title   string
	Page    string
	Styles  []string
	Scripts []string
	Version string
	Cluster bool // the navigation has the page of the nodes
	Admin   bool // it has no other
	Source  string
	Seed    int64
	File    string
	Boot    fiber.Map   // what the scripts need to start
	Text    template.JS // the texts that the page's scripts use, in Lang

	Status int    // error page
	Lead   string // error page: in the page's language
	Detail string // error page: in English, "" if Lead suffices

	Reports []savedReport // reports page
	Folder  string        // reports page

	Docs *apidoc.Page // API page

	Lane   string // home pages
	Script string // home pages
	User   string // home pages
	Topics string // home pages

	Noscript *noscriptList // dashboard

	Next    string // sign-in page, and the page that loads it: a path of this server with its query, without the base path
	OIDC    bool   // sign-in page: an identity provider is configured
	Problem string // sign-in page: why the last attempt failed, "" for none
	Notice  string // the same: what to know after signing out, "" for none

	text *i18n.Catalogue
}

// savedReport is one run of the load tester: a page and the figures that it was made from.
type savedReport struct {
	Name string    `json:"name"` // without extension: /reports/<name>.html, /reports/<name>.json
	When time.Time `json:"when"` // when the run started; for a page without figures, when it was written
	Size int64     `json:"size"` // bytes of the page
	JSON bool      `json:"json"` // the figures are there
}

// T returns a text in the page's language: {{.T "key" "name" value}}.
func (v view) T(key string, args ...any) string { return v.text.Text(key, args...) }

// Rich returns a text that may contain `code` and [links](/).
func (v view) Rich(key string, args ...any) template.HTML { return v.text.HTML(key, args...) }

// Sector returns a sector's name in the page's language, or its own name if the catalogue has none.
func (v view) Sector(name string) string {
	if key := "sector." + name; v.text.Has(key) {
		return v.text.Text(key)
	}
	return name
}

// layout is the template around every page, except the smallest ones.
const layout = "layouts/main"

// unbuiltStyle is the style of pages without the built one.
const unbuiltStyle = "/static/unbuilt.css"

// addBundle adds a page's built script with its style and texts, and reports whether it was built.
func (v *view) addBundle(built map[string]string, name string) bool {
	script := built[name+".js"]
	if script == "" {
		return false
	}
	v.Text = v.text.Scripts(name)
	v.Scripts, v.Styles = []string{v.Base + script}, []string{v.Base + built["app.css"]}
	if css := built[name+".css"]; css != "" {
		v.Styles = append(v.Styles, v.Base+css)
	}
	return true
}

// newPages loads the templates and the texts from the folder views, and the list of bundles. lab says whether the lab is
// enabled, credentials whether the server requires them.
func newPages(files fs.FS, feeds *feedViews, feed FeedInfo, set Settings, version string, lab, credentials bool) (*pages, error) {
	views, err := fs.Sub(files, "views")
	if err != nil {
		return nil, err
	}
	p := &pages{
		constant: newAnswers(constant),
		engine:   html.NewFileSystem(http.FS(views), ".html"), views: feeds, feed: feed, version: version, base: set.BasePath, maxTopics: set.MaxTopics,
		boot: fiber.Map{
			"source": feed.Source, "seed": feed.Seed, "file": feed.File, "timed": feed.Timed,
			"version": version, "lab": lab,
			"limits": fiber.Map{"topics": set.MaxTopics, "message": set.MessageSize},
		},
	}
	if credentials {
		p.boot["auth"] = true
	}
	if err := p.engine.Load(); err != nil {
		return nil, err
	}
	if p.texts, err = i18n.Load(views, p.base); err != nil {
		return nil, err
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
	p.boot["worker"] = p.built["worker.js"] // its URL has a hash, so tabs of different builds don't share a worker
	return p, nil
}

// view returns the data of a page in the language of the request. title is a key of the catalogue.
func (p *pages) view(c *fiber.Ctx, title, page string) view {
	v := p.viewIn(negotiateLanguage(c), title, page)
	v.Cluster = p.mayCluster != nil && p.mayCluster(c)
	if v.Admin = p.admin != nil && p.admin(c); v.Admin && v.Boot["auth"] != nil { // it has no sessions
		v.Boot = maps.Clone(v.Boot)
		delete(v.Boot, "auth")
	}
	if p.mayLab != nil && !p.mayLab(c) {
		v.Boot = maps.Clone(v.Boot)
		v.Boot["lab"], v.Boot["labDenied"] = false, true
	}
	rights := &principalOf(c).Rights
	if rights.ReadsAll() && seesFeed(rights) {
		return v
	}
	if !seesFeed(rights) {
		v.hideFeed()
	}
	v.Boot = maps.Clone(v.Boot)
	v.Boot["symbols"] = len(rights.Readables(p.views.universe()).IDs())
	return v
}

// hideFeed removes the seed and the file of the feed: see seesFeed.
func (v *view) hideFeed() {
	v.Seed, v.File = 0, ""
	v.Boot = maps.Clone(v.Boot)
	delete(v.Boot, "seed")
	delete(v.Boot, "file")
}

// seesFeed reports whether a client may know where the feed's data comes from: by its seed, a simulated market can be computed.
func seesFeed(rights *auth.Rights) bool { return rights.May(auth.Metrics) }

// rightsKey identifies what of a page depends on its client's rights.
func rightsKey(rights *auth.Rights) string {
	return rights.Key() + strconv.FormatBool(seesFeed(rights))
}

// viewIn returns the data of a page in a language.
func (p *pages) viewIn(lang, title, page string) view {
	text := p.texts[lang]
	return view{
		Lang: text.Lang(), Base: p.base, Title: text.Text(title), Page: page, Version: p.version, Source: p.feed.Source, Seed: p.feed.Seed, File: p.feed.File,
		Boot: p.boot, text: text,
	}
}

// negotiateLanguage returns the language of a page and sets the header fields that go with it.
func negotiateLanguage(c *fiber.Ctx) string {
	c.Vary(fiber.HeaderAcceptLanguage, fiber.HeaderCookie)
	lang := i18n.Negotiate(c.Query("lang"), c.Cookies("lang"), c.Get(fiber.HeaderAcceptLanguage))
	c.Set(fiber.HeaderContentLanguage, lang)
	return lang
}

// dashboard is GET /.
func (p *pages) dashboard(c *fiber.Ctx) error {
	q := readNoscriptQuery(c, p.base, p.views.universe())
	everything, _ := p.views.universe().Topics([]string{quote.All}, 1) // valid in every universe
	from, err := p.views.of(principalOf(c), everything)
	if err != nil {
		return err
	}
	return p.application(c, from.pages, "dashboard", q.key(), "page.title", "watch", func(v *view) { v.Noscript = newNoscriptList(from.log, &q) })
}

// compare is GET /compare.
func (p *pages) compare(c *fiber.Ctx) error {
	return p.application(c, p.constant, "compare", "", "page.title.compare", "compare", func(*view) {})
}

// application answers with a page whose script is the bundle of the same name. query is what else the page depends on
// besides the language, and add adds that to the view. Without the bundle it answers 503 with a page that explains how to
// build it.
func (p *pages) application(c *fiber.Ctx, cached *answers, name, query, title, page string, add func(*view)) error {
	noCache(c)
	v := p.view(c, title, page)
	if !v.addBundle(p.built, name) {
		add(&v)
		c.Status(http.StatusServiceUnavailable)
		return c.Render("unbuilt", v, "")
	}
	x, err := cached.get(name+" "+v.Lang+" "+rightsKey(&principalOf(c).Rights)+" "+fmt.Sprint(v.Boot["lab"], v.Cluster, v.Admin)+" "+query, func() (*content, error) {
		add(&v)
		return p.render(name, layout, &v)
	})
	if err != nil {
		return err
	}
	return x.send(c)
}

// render renders a page in a layout, "" for none.
func (p *pages) render(name, layout string, v *view) (*content, error) {
	var out bytes.Buffer
	if err := p.engine.Render(&out, name, v, layout); err != nil {
		return nil, err
	}
	return newContent(fiber.MIMETextHTMLCharsetUTF8, out.Bytes()), nil
}

// home is GET /sse/home and /ws/home: the smallest page that uses a lane. Its query is passed on to the subscription.
func (p *pages) home(lane wire.Lane) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q := queryOf(c)
		v := p.view(c, "page.title."+lane.String(), lane.String())
		v.Lane, v.Script = lane.String(), p.base+"/static/"+lane.String()+"-home.js"
		v.User = q.user()
		v.Topics = strings.Join(q.topics(p.views.universe(), p.maxTopics, &principalOf(c).Rights).Names(), ",")
		if err := q.invalid(); err != nil {
			return err
		}
		x, err := p.render("home", "", &v)
		if err != nil {
			return err
		}
		noCache(c)
		return x.send(c)
	}
}

// renderForm answers with a page that has a form of this server.
func (p *pages) renderForm(c *fiber.Ctx, name string, status int, v *view) error {
	c.Set(fiber.HeaderContentSecurityPolicy, formPolicy)
	c.Set(fiber.HeaderReferrerPolicy, "same-origin") // no-referrer makes the Origin of a form null
	if status == http.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	}
	noStore(c)
	return c.Status(status).Render(name, *v, "")
}

// renderForward answers with a page that goes to an address of this server. The browser requests that as for a link on this page.
func (p *pages) renderForward(c *fiber.Ctx, next string) error {
	v := p.view(c, "page.title.forward", "")
	v.Next = next
	noStore(c)
	return c.Render("forward", v, "")
}

// renderError renders a problem as a page. The error is that of the template.
func (p *pages) renderError(c *fiber.Ctx, of *problem) error {
	status := strconv.Itoa(of.Status)
	v := p.view(c, "error.title."+status, "")
	if !v.text.Has("error.title." + status) {
		v.Title = of.Title
	}
	v.Status, v.Lead, v.Detail = of.Status, v.T("error.lead.detail"), of.Detail
	if lead := "error.lead." + status; v.text.Has(lead) && of.Detail == statusDetail[of.Status] {
		v.Lead, v.Detail = v.T(lead), ""
	}
	v.Styles = []string{p.base + unbuiltStyle}
	if css := p.built["app.css"]; css != "" {
		v.Styles = []string{p.base + css}
	}
	return c.Render("error", v)
}
