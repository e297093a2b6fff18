package handlers

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/i18n"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Stage is what a server does before it can serve.
type Stage struct {
	Doing  string // such as "waiting for NATS"
	Detail string // addresses and errors, for probes only; empty for none
}

// String returns the stage for probes.
func (s Stage) String() string {
	if s.Detail == "" {
		return s.Doing
	}
	return s.Doing + " (" + s.Detail + ")"
}

// startRetry is the time after which clients may make a request again that was refused because the server starts, in seconds.
const startRetry = 2

// starting answers the requests of one listener while the server starts.
type starting struct {
	stage   func() Stage
	access  *access
	base    basePath
	admin   bool // the listener is that of server.admin_addr
	secure  bool // the server has TLS
	retries retrySchedule
	texts   map[string]*i18n.Catalogue
	page    *template.Template
	style   template.CSS
	policy  string // Content-Security-Policy of documents
}

// NewStarting returns the handler of requests while the server starts: it answers probes with the stage, event streams as a full
// server does, and everything else with 503. admin says that the requests come to server.admin_addr.
func NewStarting(set Settings, files fs.FS, stage func() Stage, admin bool) (http.Handler, error) {
	s := &starting{stage: stage, base: basePath(set.BasePath), admin: admin, secure: set.TLS != nil,
		retries: retrySchedule{rate: cmp.Or(set.AcceptRate, spreadRate)}, page: template.New("")}
	var err error
	if s.access, err = newAccess(set); err != nil {
		return nil, err
	}
	views, err := fs.Sub(files, "views")
	if err != nil {
		return nil, err
	}
	if s.texts, err = i18n.Load(views, set.BasePath); err != nil {
		return nil, err
	}
	for _, name := range []string{"partials/logo", "starting"} {
		text, err := fs.ReadFile(views, name+".html")
		if err != nil {
			return nil, err
		}
		if _, err := s.page.New(name).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	style, err := fs.ReadFile(files, "public"+strings.TrimPrefix(unbuiltStyle, "/static"))
	if err != nil {
		return nil, err
	}
	s.style = template.CSS(style) // it is in the page, which can't load files yet
	sum := sha256.Sum256(style)
	s.policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return s, nil
}

func (s *starting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set(fiber.HeaderCacheControl, "no-store")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	if len(s.access.origins) > 0 {
		head.Add(fiber.HeaderVary, fiber.HeaderOrigin)
		if s.access.setCORS(r.Header.Get(fiber.HeaderOrigin), r.Method, head.Set) && r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	path, below := s.base.cut(r.URL.EscapedPath())
	if !below {
		path = r.URL.EscapedPath()
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case !below && s.base != "" && !s.admin && !isProbe(path):
		s.refuse(w, s.base.outside())
	case reads && isProbe(path):
		s.probe(w, path)
	case reads && path == "/sse/subscribe" && listed(r.Header.Values(fiber.HeaderAccept), "text/event-stream"):
		s.endStream(w)
	case isPageRequest(r.Method, r.Header.Get(fiber.HeaderAccept), path):
		s.showPage(w, r)
	default:
		retryLater(head)
		s.refuse(w, problemOf(http.StatusServiceUnavailable, "The server is starting: "+s.stage().Doing+". Try again in "+strconv.Itoa(startRetry)+" s."))
	}
}

// probe is GET /healthz and /readyz.
func (s *starting) probe(w http.ResponseWriter, path string) {
	s.secureDocument(w.Header())
	w.Header().Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	if path == "/readyz" {
		retryLater(w.Header())
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprintf(w, "starting: %s\n", s.stage())
}

// endStream is GET /sse/subscribe of an event stream: an EventSource doesn't reconnect after an error status.
func (s *starting) endStream(w http.ResponseWriter) {
	for _, field := range eventStreamHeader {
		w.Header().Set(field[0], field[1])
	}
	r := refusal{reason: wire.ByeOverload, retry: stream.ByeRetry(wire.ByeOverload, overloadRetry, 0) + s.retries.next(time.Now())}
	_, _ = w.Write(r.events())
}

// showPage answers a browser with a page that reloads.
func (s *starting) showPage(w http.ResponseWriter, r *http.Request) {
	lang := ""
	if c, err := r.Cookie("lang"); err == nil {
		lang = c.Value
	}
	text := s.texts[i18n.Negotiate(r.URL.Query().Get("lang"), lang, r.Header.Get(fiber.HeaderAcceptLanguage))]
	head := w.Header()
	s.secureDocument(head)
	head.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	head.Set(fiber.HeaderContentLanguage, text.Lang())
	head.Add(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	head.Add(fiber.HeaderVary, fiber.HeaderCookie)
	head.Set("Refresh", strconv.Itoa(startRetry))
	retryLater(head)
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = s.page.ExecuteTemplate(w, "starting", struct { // an error is one of the connection
		view
		Style template.CSS
	}{view{Lang: text.Lang(), Title: text.Text("page.title.starting"), Detail: s.stage().Doing, text: text}, s.style})
}

// refuse answers with a problem.
func (s *starting) refuse(w http.ResponseWriter, p *problem) {
	s.secureDocument(w.Header())
	w.Header().Set(fiber.HeaderContentType, "application/problem+json")
	body, _ := json.Marshal(p) // texts and numbers: no error
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// retryLater sets the time after which the client may make the request again.
func retryLater(head http.Header) { head.Set(fiber.HeaderRetryAfter, strconv.Itoa(startRetry)) }

// secureDocument sets those of the security headers that matter for documents without scripts: see headers.
func (s *starting) secureDocument(head http.Header) {
	head.Set(fiber.HeaderContentSecurityPolicy, s.policy)
	head.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	head.Set(fiber.HeaderXFrameOptions, "DENY")
	head.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	if s.secure {
		head.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}
