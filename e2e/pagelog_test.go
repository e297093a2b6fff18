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

// pageLog records a tab's requests, errors and warnings. Its methods may be called concurrently.
type pageLog struct {
	mu         sync.Mutex
	errs       []string
	violations []string // of the page's own policy
	requests   []*request
	byID       map[network.RequestID]*request
}

// request is a request of the page. Times are the browser's monotonic clock, in seconds.
type request struct {
	url        string
	sent       float64
	status     int64 // 0 until the response begins
	events     int   // of an event stream
	firstEvent float64
}

// record handles an event of the tab. The browser's connection waits for it, so it must not block.
func (l *pageLog) record(event any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			parts := []string{}
			for _, a := range e.Args {
				parts = append(parts, strings.TrimSpace(string(a.Value)+" "+a.Description))
			}
			l.addError("console.%s: %s", e.Type, strings.Join(parts, " "))
		}
	case *runtime.EventExceptionThrown:
		l.addError("exception: %v", e.ExceptionDetails)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			l.addError("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		l.addIssue(e.Issue)
	case *network.EventRequestWillBeSent:
		l.addRequest(e.RequestID, e.Request.URL, float64(e.Timestamp))
	case *network.EventWebSocketCreated:
		l.addRequest(e.RequestID, e.URL, 0)
	case *network.EventResponseReceived:
		l.setStatus(e.RequestID, e.Response.Status)
	case *network.EventWebSocketHandshakeResponseReceived:
		l.setStatus(e.RequestID, e.Response.Status)
	case *network.EventLoadingFailed:
		if r := l.byID[e.RequestID]; !e.Canceled && r != nil {
			l.addError("%s: %s %s", r.url, e.ErrorText, e.BlockedReason)
		}
	case *network.EventEventSourceMessageReceived:
		if r := l.byID[e.RequestID]; r != nil {
			if r.events++; r.events == 1 {
				r.firstEvent = float64(e.Timestamp)
			}
		}
	}
}

// addError records an error or a warning. It ignores /favicon.ico, which the browser requests for documents that aren't
// pages.
func (l *pageLog) addError(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !strings.Contains(text, "/favicon.ico") {
		l.errs = append(l.errs, text)
	}
}

// addIssue records those of the browser's audits that are faults of the page.
func (l *pageLog) addIssue(i *audits.InspectorIssue) {
	switch i.Code {
	case audits.InspectorIssueCodeContentSecurityPolicyIssue:
		d := i.Details.ContentSecurityPolicyIssueDetails
		l.addError("Content-Security-Policy: %s %s", d.ViolatedDirective, d.BlockedURL)
		l.violations = append(l.violations, d.ViolatedDirective+" "+d.BlockedURL)
	case audits.InspectorIssueCodeMixedContentIssue, audits.InspectorIssueCodeCorsIssue, audits.InspectorIssueCodeBlockedByResponseIssue,
		audits.InspectorIssueCodeDeprecationIssue, audits.InspectorIssueCodeQuirksModeIssue, audits.InspectorIssueCodeStylesheetLoadingIssue:
		l.addError("audit: %s", i.Code)
	}
}

func (l *pageLog) addRequest(id network.RequestID, url string, at float64) {
	if l.byID == nil {
		l.byID = map[network.RequestID]*request{}
	}
	r := &request{url: url, sent: at}
	l.byID[id] = r
	l.requests = append(l.requests, r)
}

func (l *pageLog) setStatus(id network.RequestID, status int64) {
	r := l.byID[id]
	if r == nil {
		return
	}
	r.status = status
	if status >= 400 {
		l.addError("%s: status %d", r.url, status)
	}
}

// errors returns the errors and warnings so far.
func (l *pageLog) errors() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.errs...)
}

// policyViolations returns what the page's policy (CSP, Trusted Types) has blocked so far.
func (l *pageLog) policyViolations() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.violations...)
}

// allowViolations forgets what was blocked so far.
func (l *pageLog) allowViolations() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = nil
}

// requestsTo returns the requests so far whose path has this prefix.
func (l *pageLog) requestsTo(prefix string) []request {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []request
	for _, r := range l.requests {
		if u, err := url.Parse(r.url); err == nil && strings.HasPrefix(u.Path, prefix) {
			found = append(found, *r)
		}
	}
	return found
}

// hosts returns the hosts of the requests so far.
func (l *pageLog) hosts() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	hosts := map[string]bool{}
	for _, r := range l.requests {
		if u, err := url.Parse(r.url); err == nil && u.Scheme != "data" && u.Scheme != "about" {
			hosts[u.Host] = true
		}
	}
	return hosts
}
