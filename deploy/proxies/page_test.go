//go:build proxies && linux

package proxies

import (
	"context"
	"time"

	"github.com/chromedp/chromedp"
)

// checkPage opens the dashboard in a browser on each lane. The page must come by HTTP/2, show quotes that change, and
// change topics.
func (v *visit) checkPage() {
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the tab ends with the context of its first command
		v.t.Fatalf("page: %v", err)
	}
	evaluate := func(script string) bool {
		limit, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		ok, err := chromedp.Run(limit, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
		return err == nil && ok
	}
	for _, lane := range []string{"sse", "ws"} {
		visiting, stop := context.WithTimeout(ctx, timeout)
		err := chromedp.Do(visiting, chromedp.Navigate(v.public+"/?lane="+lane))
		stop()
		if err != nil {
			v.t.Fatalf("page: %v", err)
		}
		until(v.t, "the page with quotes over "+lane, timeout, func() bool {
			return evaluate(`document.querySelector('#app')?.dataset.state === 'live' && document.querySelector('#app').dataset.lane === '` + lane + `' &&
				/\d/.test(document.querySelector('.rows .rowg .last')?.textContent ?? '')`)
		})
		if !evaluate(`performance.getEntriesByType('navigation')[0].nextHopProtocol === 'h2'`) {
			v.t.Errorf("the page didn't come by HTTP/2")
		}
		first := `[...document.querySelectorAll('.rows .rowg .last')].map((e) => e.textContent).join()`
		evaluate(`self.before = ` + first + `, true`)
		until(v.t, "quotes that change over "+lane, timeout, func() bool { return evaluate(first + ` !== self.before`) })
	}
}
