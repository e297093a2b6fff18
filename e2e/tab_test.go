package e2e

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab is a browser tab. Its methods fail the test when the browser reports an error.
type tab struct {
	document
	ctx context.Context
	*pageLog
	discard func() // closes the tab; further calls do nothing
	pressed int64  // buttons of the mouse: 1 for the left one
}

// openTab opens a tab in a new browser context: with separate storage, cache, cookies and workers. It is closed
// when the test ends, which fails if the page's policy blocked anything.
func openTab(t testing.TB) *tab {
	t.Helper()
	return newTab(t, browserCtx, chromedp.WithNewBrowserContext())
}

// openLive opens a dashboard in a new tab and waits until it shows quotes.
func openLive(t testing.TB, url string) *tab {
	t.Helper()
	b := openTab(t)
	b.visit(url)
	b.waitLive()
	return b
}

// sibling opens another tab in b's browser context: with the same storage, cache, connections and worker.
func (b *tab) sibling() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, chromedp.WithNewWindow(false))
}

// evaluator returns the evaluate of a document in a tab.
func evaluator(tab context.Context) func(script string) (json.RawMessage, error) {
	return func(script string) (json.RawMessage, error) {
		ctx, cancel := context.WithTimeout(tab, 2*timeout)
		defer cancel()
		return chromedp.Run(ctx, chromedp.Evaluate[json.RawMessage](script, chromedp.EvalAwaitPromise))
	}
}

func newTab(t testing.TB, parent context.Context, where chromedp.ContextOption) *tab {
	t.Helper()
	l := &pageLog{}
	ctx, cancel := chromedp.NewContext(parent, where, chromedp.WithListener(l.record))
	b := &tab{document: document{t, evaluator(ctx)}, ctx: ctx, pageLog: l}
	b.discard = sync.OnceFunc(func() {
		for _, what := range l.policyViolations() {
			t.Errorf("blocked by the page's policy: %s", what)
		}
		if t.Failed() {
			t.Logf("errors and warnings of the page: %q", l.errors())
		}
		cancel()
	})
	t.Cleanup(b.discard)
	b.call(chromedp.Call(ctx, audits.Enable, noParams)) // the first command opens the tab
	b.size(1440, 900)
	return b
}

// call checks the error of a DevTools command and ignores its result.
func (b *tab) call(_ any, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// do runs actions, for at most timeout.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) visit(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

func (b *tab) reload() {
	b.t.Helper()
	b.do(chromedp.Reload())
}

// inject runs a script in every document that the tab loads from now on, before the document's own scripts.
func (b *tab) inject(script string) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}))
}

// size sets the viewport in CSS pixels. One narrower than 600 is a phone's, with touch.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	opts := []chromedp.EmulateViewportOption{}
	if width < 600 {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.do(chromedp.EmulateViewport(width, height, opts...))
}

// enableScripts turns the page's own scripts on or off, as the browser's setting does.
func (b *tab) enableScripts(on bool) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// colorScheme sets the preference of the operating system: "dark" or "light".
func (b *tab) colorScheme(theme string) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	}))
}

// press types keys one after the other. As with a keyboard, a page that handles a key prevents its character from being
// typed; chromedp's own events for key and character are independent of each other.
func (b *tab) press(keys string) {
	b.t.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		if len(events) == 3 {
			events[0].Type, events[0].Text = input.DispatchKeyEventTypeKeyDown, events[1].Text
			events = append(events[:1], events[2])
		}
		for _, e := range events {
			b.call(chromedp.Call(b.ctx, input.DispatchKeyEvent, *e))
		}
	}
}

// clean fails the test if the page has had errors or warnings.
func (b *tab) clean() {
	b.t.Helper()
	for _, e := range b.errors() {
		b.t.Error(e)
	}
}

// noParams are the parameters of a command without any.
var noParams cdp.Empty

var keys = struct{ up, down, right, enter, escape string }{kb.ArrowUp, kb.ArrowDown, kb.ArrowRight, kb.Enter, kb.Escape}
