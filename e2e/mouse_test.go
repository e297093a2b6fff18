package e2e

import (
	"encoding/json"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// click waits until an element is visible, and clicks it.
func (b *tab) click(selector string) {
	b.t.Helper()
	x, y := b.center(selector)
	b.move(x, y)
	b.pressMouse(x, y)
	b.releaseMouse(x, y)
}

// center waits until an element is visible, scrolls it into view and returns its center. A query of chromedp would fail when
// one document replaces another.
func (b *tab) center(selector string) (x, y float64) {
	b.t.Helper()
	var at []float64
	until(b.t, selector+" is visible", func() (bool, string) {
		v, err := b.evaluate(fmt.Sprintf(`(() => {
			const e = document.querySelector(%q);
			if (!e?.checkVisibility({ visibilityProperty: true })) return [];
			e.scrollIntoViewIfNeeded();
			const [r] = e.getClientRects();
			return r?.width ? [r.x + r.width / 2, r.y + r.height / 2] : [];
		})()`, selector))
		if err == nil {
			err = json.Unmarshal(v, &at)
		}
		return err == nil && len(at) == 2, fmt.Sprint(err)
	})
	return at[0], at[1]
}

// move moves the mouse, with the button as it is.
func (b *tab) move(x, y float64) {
	b.t.Helper()
	b.mouse(input.DispatchMouseEventTypeMouseMoved, x, y)
}

// pressMouse presses the mouse's left button.
func (b *tab) pressMouse(x, y float64) {
	b.t.Helper()
	b.pressed = 1
	b.mouse(input.DispatchMouseEventTypeMousePressed, x, y)
}

// releaseMouse releases the mouse's left button.
func (b *tab) releaseMouse(x, y float64) {
	b.t.Helper()
	b.pressed = 0
	b.mouse(input.DispatchMouseEventTypeMouseReleased, x, y)
}

func (b *tab) mouse(kind input.DispatchMouseEventType, x, y float64) {
	b.t.Helper()
	event := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Buttons: b.pressed}
	if kind != input.DispatchMouseEventTypeMouseMoved || b.pressed != 0 {
		event.Button, event.ClickCount = input.MouseButtonLeft, 1
	}
	b.call(chromedp.Call(b.ctx, input.DispatchMouseEvent, event))
}
