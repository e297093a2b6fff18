package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// witness notes what a page did and what went wrong in it.
type witness struct {
	mu        sync.Mutex
	wrong     []string
	forbidden []string // by the page's own policy
	requests  []*request
	byID      map[network.RequestID]*request
}

// request is one that the page made. Times are the browser's monotonic seconds.
type request struct {
	url    string
	sent   float64
	status int64 // 0 until answered
	events int   // of an event stream
	first  float64
}

// see is called with every event of the tab, in order, and must not block.
func (w *witness) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			parts := []string{}
			for _, a := range e.Args {
				parts = append(parts, strings.TrimSpace(string(a.Value)+" "+a.Description))
			}
			w.complain("console.%s: %s", e.Type, strings.Join(parts, " "))
		}
	case *runtime.EventExceptionThrown:
		w.complain("exception: %v", e.ExceptionDetails)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			w.complain("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		w.issue(e.Issue)
	case *network.EventRequestWillBeSent:
		w.began(e.RequestID, e.Request.URL, float64(e.Timestamp))
	case *network.EventWebSocketCreated:
		w.began(e.RequestID, e.URL, 0)
	case *network.EventResponseReceived:
		w.answered(e.RequestID, e.Response.Status)
	case *network.EventWebSocketHandshakeResponseReceived:
		w.answered(e.RequestID, e.Response.Status)
	case *network.EventLoadingFailed:
		if r := w.byID[e.RequestID]; !e.Canceled && r != nil {
			w.complain("%s: %s %s", r.url, e.ErrorText, e.BlockedReason)
		}
	case *network.EventEventSourceMessageReceived:
		if r := w.byID[e.RequestID]; r != nil {
			if r.events++; r.events == 1 {
				r.first = float64(e.Timestamp)
			}
		}
	}
}

// complain notes a fault. The icon of a document that isn't a page doesn't count: the browser guesses its address.
func (w *witness) complain(format string, args ...any) {
	if c := fmt.Sprintf(format, args...); !strings.Contains(c, "/favicon.ico") {
		w.wrong = append(w.wrong, c)
	}
}

// issue takes those of the browser's audits that are faults of the page.
func (w *witness) issue(i *audits.InspectorIssue) {
	switch i.Code {
	case audits.InspectorIssueCodeContentSecurityPolicyIssue:
		d := i.Details.ContentSecurityPolicyIssueDetails
		w.complain("Content-Security-Policy: %s %s", d.ViolatedDirective, d.BlockedURL)
		w.forbidden = append(w.forbidden, d.ViolatedDirective+" "+d.BlockedURL)
	case audits.InspectorIssueCodeMixedContentIssue, audits.InspectorIssueCodeCorsIssue, audits.InspectorIssueCodeBlockedByResponseIssue,
		audits.InspectorIssueCodeDeprecationIssue, audits.InspectorIssueCodeQuirksModeIssue, audits.InspectorIssueCodeStylesheetLoadingIssue:
		w.complain("audit: %s", i.Code)
	}
}

func (w *witness) began(id network.RequestID, url string, at float64) {
	if w.byID == nil {
		w.byID = map[network.RequestID]*request{}
	}
	r := &request{url: url, sent: at}
	w.byID[id] = r
	w.requests = append(w.requests, r)
}

func (w *witness) answered(id network.RequestID, status int64) {
	r := w.byID[id]
	if r == nil {
		return
	}
	r.status = status
	if status >= 400 {
		w.complain("%s: status %d", r.url, status)
	}
}

// complaints are the errors and warnings so far.
func (w *witness) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.wrong...)
}

// violations are what the page's policy (CSP, Trusted Types) forbade so far.
func (w *witness) violations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.forbidden...)
}

// to returns the requests so far whose path begins so.
func (w *witness) to(path string) []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []request
	for _, r := range w.requests {
		if u, err := url.Parse(r.url); err == nil && strings.HasPrefix(u.Path, path) {
			found = append(found, *r)
		}
	}
	return found
}

// hosts returns every host that the page asked for anything.
func (w *witness) hosts() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	hosts := map[string]bool{}
	for _, r := range w.requests {
		if u, err := url.Parse(r.url); err == nil && u.Scheme != "data" && u.Scheme != "about" {
			hosts[u.Host] = true
		}
	}
	return hosts
}
