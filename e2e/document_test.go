package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// document is the page that a tab shows, in either browser. Its methods fail the test when the browser reports an error.
type document struct {
	t testing.TB

	// evaluate runs a script and returns its result as JSON. It waits for a promise to be fulfilled, and returns an error
	// when the script throws or while one document replaces another.
	evaluate func(script string) (json.RawMessage, error)
}

// anyTab is a tab of either browser.
type anyTab interface{ doc() document }

func (d document) doc() document { return d }

// eval runs a script in the page and returns its result. It waits for a promise to be fulfilled.
func eval[T any](b anyTab, script string) T {
	d := b.doc()
	d.t.Helper()
	var v T
	result, err := d.evaluate(script)
	if err == nil {
		err = json.Unmarshal(result, &v)
	}
	if err != nil {
		d.t.Fatalf("%v\nin %s", err, brief(script))
	}
	return v
}

// run runs a script for its effect.
func (d document) run(script string) {
	d.t.Helper()
	eval[json.RawMessage](d, "(async () => {"+script+"\nreturn 0})()")
}

// text returns an element's text, or "" if the page has no such element.
func (d document) text(selector string) string {
	d.t.Helper()
	return eval[string](d, fmt.Sprintf("document.querySelector(%q)?.textContent ?? ''", selector))
}

// until waits until a condition, a JavaScript expression, holds in the page. While one document replaces another it doesn't.
func (d document) until(what, condition string) {
	d.t.Helper()
	until(d.t, what, func() (bool, string) {
		v, err := d.evaluate("!!(" + condition + ")")
		if err != nil {
			return false, err.Error()
		}
		return string(v) == "true", brief(condition)
	})
}

// waitLive waits until the dashboard shows quotes.
func (d document) waitLive() {
	d.t.Helper()
	d.until("live, with quotes", `document.querySelector('#app')?.dataset.state === 'live' &&
		/\d/.test(document.querySelector('.rows .rowg .last')?.textContent ?? '')`)
}

// counter returns a counter of the connection's panel.
func (d document) counter(id string) int {
	d.t.Helper()
	return eval[int](d, fmt.Sprintf(`Number(document.querySelector('#n-%s').textContent.replace(/\D/g, ''))`, id))
}

// counters waits until the panel's counters have these values. The page paints them a few times a second.
func (d document) counters(want map[string]int) {
	d.t.Helper()
	until(d.t, fmt.Sprintf("counters %v", want), func() (bool, string) {
		good := true
		state := ""
		for id, n := range want {
			have := d.counter(id)
			good = good && have == n
			state += fmt.Sprintf(" %s %d", id, have)
		}
		return good, state
	})
}

// logged waits until an entry of the connection's log contains text.
func (d document) logged(text string) {
	d.t.Helper()
	d.until(fmt.Sprintf("%q in the log", text), fmt.Sprintf(`[...document.querySelectorAll('#log li span')].some((e) => e.textContent.includes(%q))`, text))
}

// ticksArrive waits until the dashboard has applied another tick.
func (d document) ticksArrive() {
	d.t.Helper()
	d.until("ticks arrive", fmt.Sprintf(`document.querySelector('#position').textContent !== %q`, d.text("#position")))
}

// brief returns a script on one line, for messages.
func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 200 {
		s = s[:200] + " …"
	}
	return s
}
