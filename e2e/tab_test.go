package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab is a browser tab with storage, cache and cookies of its own.
type tab struct {
	t   testing.TB
	ctx context.Context
	*witness
}

// openTab opens a tab, which is closed when the test ends.
func openTab(t testing.TB) *tab {
	t.Helper()
	w := &witness{}
	ctx, cancel := chromedp.NewContext(chromed, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.see))
	b := &tab{t: t, ctx: ctx, witness: w}
	t.Cleanup(func() {
		for _, what := range w.violations() {
			t.Errorf("the policy forbade %s", what)
		}
		if t.Failed() {
			t.Logf("console and failures of the page: %q", w.complaints())
		}
		cancel()
	})
	b.call(chromedp.Call(ctx, audits.Enable, noParams))
	b.size(1440, 900)
	return b
}

// call fails the test if a command of the protocol failed; what it returned isn't needed.
func (b *tab) call(_ any, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// do runs actions within the patience of a test.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
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

// inject runs a script in every document of the tab before its own scripts.
func (b *tab) inject(script string) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}))
}

// size sets the viewport. Below 600 px it is a phone's: with touch.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	opts := []chromedp.EmulateViewportOption{}
	if width < 600 {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.do(chromedp.EmulateViewport(width, height, opts...))
}

// scripts turns the page's own scripts on or off, as a browser's setting does.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// system sets what the operating system prefers: "dark" or "light".
func (b *tab) system(theme string) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	}))
}

// eval runs a script in the page and returns its result, a promise's once it is fulfilled.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%v\nin %s", err, brief(script))
	}
	return v
}

// run runs a script for its effect.
func (b *tab) run(script string) {
	b.t.Helper()
	eval[json.RawMessage](b, "(async () => {"+script+"\nreturn 0})()")
}

// text returns what an element says.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("document.querySelector(%q)?.textContent ?? ''", selector))
}

// until waits until a condition holds in the page. A document that is being replaced counts as not yet.
func (b *tab) until(what, condition string) {
	b.t.Helper()
	until(b.t, what, func() (bool, string) {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		v, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err != nil {
			return false, err.Error()
		}
		return v, brief(condition)
	})
}

// click presses an element with the mouse, where a person would.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// press types keys one after the other. As with a keyboard, a page that takes a key for itself keeps its character
// from being typed; chromedp's own events for key and character don't know of each other.
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

// live waits until the dashboard shows quotes.
func (b *tab) live() {
	b.t.Helper()
	b.until("live, with rows", `document.querySelector('#app')?.dataset.state === 'live' &&
		/\d/.test(document.querySelector('.rows .rowg .last')?.textContent ?? '')`)
}

// figure returns a counter of the lane's panel.
func (b *tab) figure(id string) int {
	b.t.Helper()
	return eval[int](b, fmt.Sprintf(`Number(document.querySelector('#n-%s').textContent.replace(/\D/g, ''))`, id))
}

// figures fails the test unless the panel's counters are these. They are painted a few times a second.
func (b *tab) figures(want map[string]int) {
	b.t.Helper()
	until(b.t, fmt.Sprintf("counters %v", want), func() (bool, string) {
		good := true
		state := ""
		for id, n := range want {
			have := b.figure(id)
			good = good && have == n
			state += fmt.Sprintf(" %s %d", id, have)
		}
		return good, state
	})
}

// told waits until the lane's log has a sentence that holds text.
func (b *tab) told(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("the log says %q", text), fmt.Sprintf(`[...document.querySelectorAll('#log li span')].some((e) => e.textContent.includes(%q))`, text))
}

// clean fails the test if the page complained of anything.
func (b *tab) clean() {
	b.t.Helper()
	for _, c := range b.complaints() {
		b.t.Error(c)
	}
}

func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 200 {
		s = s[:200] + " …"
	}
	return s
}

// noParams are those of a command that takes none.
var noParams cdp.Empty

var keys = struct{ up, down, right, enter, escape string }{kb.ArrowUp, kb.ArrowDown, kb.ArrowRight, kb.Enter, kb.Escape}
