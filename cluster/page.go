//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// record makes a document keep the text of each message that a stream of the page receives, with the time in ms. Without a
// SharedWorker the page opens its streams itself.
const record = `
delete self.SharedWorker;
self.received = [];
const keep = (owner, data) => { if (!owner.closedByPage && typeof data === 'string') self.received.push({ at: performance.timeOrigin + performance.now(), text: data }); };
self.EventSource = class extends EventSource {
  constructor(...a) {
    super(...a);
    for (const type of ['message', 'hello', 'snapshot', 'gap', 'hb', 'status']) this.addEventListener(type, (e) => keep(this, e.data));
  }
  close() { this.closedByPage = true; super.close(); }
};
self.WebSocket = class extends WebSocket {
  constructor(...a) { super(...a); this.addEventListener('message', (e) => keep(this, e.data)); }
  close(...a) { this.closedByPage = true; super.close(...a); }
};`

// tab is the dashboard in a browser, on one lane.
type tab struct {
	ctx    context.Context
	stream *stream
}

// openTab opens the dashboard and waits until it is live. The tab ends with the browser.
func openTab(browser context.Context, public, lane string, s *stream) (*tab, error) {
	ctx, _ := chromedp.NewContext(browser, chromedp.WithNewBrowserContext()) //nolint:govet // ends with the browser
	t := &tab{ctx: ctx, stream: s}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: record}); err != nil {
		return nil, err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("http://"+public+"/?lane="+lane)); err != nil {
		return nil, err
	}
	return t, until(ctx, 20*time.Second, t.live)
}

// live returns an error unless the page says that it is live.
func (t *tab) live(context.Context) error {
	ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
	defer cancel()
	state, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector('#app')?.dataset.state ?? 'not loaded'`))
	if err == nil && state != "live" {
		err = fmt.Errorf("the page is %s", state)
	}
	return err
}

// follow checks what the page receives, until ctx is done.
func (t *tab) follow(ctx context.Context) error {
	const interval = 200 * time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(interval):
		}
		limit, cancel := context.WithTimeout(t.ctx, 20*time.Second)
		all, err := chromedp.Run(limit, chromedp.Evaluate[[]struct {
			At   float64
			Text string
		}](`self.received.splice(0)`))
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return errors.Join(errors.New("the page doesn't answer"), err)
		}
		for _, m := range all {
			t.stream.take([]byte(m.Text), time.UnixMicro(int64(m.At*1000)))
		}
	}
}
