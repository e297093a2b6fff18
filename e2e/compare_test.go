package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestCompare runs both lanes at once: the figures change, two drills are measured, and the export has the results.
func TestCompare(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "200")
	b := openTab(t)
	// Keeps the text of the downloads.
	b.inject(`window.exported = [];
		const make = URL.createObjectURL.bind(URL);
		URL.createObjectURL = (blob) => { blob.text().then((text) => window.exported.push(text)); return make(blob); };`)
	b.visit(s.url + "/compare")
	b.until("both sides run and pairs arrive", `/[1-9]\d* ?pairs|[1-9][\d\s]* pairs/.test(document.querySelector('#running').textContent)`)
	b.until("every figure of both sides", `[...document.querySelectorAll('#figures tr')].some((r) =>
		r.textContent.includes('wire / tick') && (r.textContent.match(/\d+(\.\d)?\sB/g) || []).length >= 2)`)
	b.until("framing of both sides: the server offers compression, but one reader's ticks are not compressed", `[...document.querySelectorAll('#figures tr')].some((r) =>
		r.textContent.startsWith('framing') && (r.textContent.match(/\d+(\.\d)?\sB/g) || []).length >= 3)`)
	for _, width := range []int64{1440, 1361, 1360, 901, 390} {
		b.size(width, 900)
		b.until(fmt.Sprintf("no column of figures is cut at %d px", width), `(() => {
			const box = document.querySelector('#figures').parentElement;
			return innerWidth === `+fmt.Sprint(width)+` && box.scrollWidth <= box.clientWidth && document.querySelector('#figures').getBoundingClientRect().right <= box.getBoundingClientRect().right + 0.5;
		})()`)
	}
	b.until("on a phone the newest tick's price is below its symbol", `[...document.querySelectorAll('#figures .newest')].every((e) => {
		const text = document.createRange();
		text.selectNodeContents(e);
		return new Set([...text.getClientRects()].map((r) => Math.round(r.top))).size === 2 && e.scrollWidth <= e.clientWidth;
	})`)
	b.size(1440, 900)
	before := b.text("#running")
	b.until("figures change", `document.querySelector('#running').textContent !== `+quoted(before))
	b.until("the sentence has the result", `/bytes/.test(document.querySelector('#sentence').textContent)`)

	b.runDrill("cut", "rows of the drill", `document.querySelectorAll('#drill-table tbody tr').length >= 2 &&
		document.querySelector('#drill-table').textContent.includes('Cut')`)

	// By the standard an error status ends an EventSource; the page's connector reconnects.
	b.runDrill("503", "a bare EventSource is gone for good after 503, and both connectors are back", `/CLOSED for good/.test(document.querySelector('#drill-table').textContent) &&
		[...document.querySelectorAll('#drill-table tr')].filter((r) => /our connector/.test(r.textContent) && /attempt refused/.test(r.textContent)).length >= 2`)

	b.click("#export > summary")
	b.click(`[data-export="json"]`)
	b.until("the export is made", `window.exported.length > 0`)
	text := eval[string](b, `window.exported[0]`)
	var run map[string]any
	if err := json.Unmarshal([]byte(text), &run); err != nil {
		t.Fatalf("the export isn't JSON: %v: %.200s", err, text)
	}
	for _, part := range []string{`"sse"`, `"ws"`, `"cut"`, "wire", "p99"} {
		if !strings.Contains(text, part) {
			t.Errorf("the export doesn't hold %s: %.600s", part, text)
		}
	}
	if lost := eval[int](b, `window.exported[0].match(/"lost": ?[1-9]/g)?.length ?? 0`); lost > 0 {
		t.Errorf("a side lost ticks: %.800s", text)
	}
	b.checkPicture()
	b.keepAndLayOver()
}

// checkPicture copies the picture of /compare, which is a PNG with the sentence and the plots. Where the browser refuses, it is
// saved.
func (b *tab) checkPicture() {
	b.t.Helper()
	b.run(`window.copied = []; navigator.clipboard.write = async ([item]) => { window.copied.push(await createImageBitmap(await item.getType('image/png'))); }`)
	b.click("#export > summary")
	b.click("#copy-picture")
	b.until("the picture is copied", `window.copied.length === 1 && /copied/.test(document.querySelector('#live').textContent)`)
	if width, height := eval[int](b, `window.copied[0].width`), eval[int](b, `window.copied[0].height`); width < 2000 || height < 1000 {
		b.t.Errorf("picture of %d × %d", width, height)
	}
	for what, y := range map[string]int{"sentence": 32, "plots": 400} {
		colours := eval[int](b, fmt.Sprintf(`(() => {
			const ctx = new OffscreenCanvas(1600, 400).getContext('2d');
			ctx.drawImage(window.copied[0], 0, -%d);
			return new Set(new Uint32Array(ctx.getImageData(0, 0, 1600, %d).data.buffer)).size;
		})()`, y, map[string]int{"sentence": 40, "plots": 400}[what]))
		if colours < 20 {
			b.t.Errorf("%d colours where the picture has the %s", colours, what)
		}
	}
	before := eval[int](b, `window.exported.length`)
	b.run(`navigator.clipboard.write = async () => { throw new DOMException('', 'NotAllowedError'); }`)
	b.click("#export > summary")
	b.click("#copy-picture")
	b.until("the picture is saved instead", fmt.Sprintf(`window.exported.length === %d && window.exported.at(-1).includes('PNG') && /Saved .*\.png/.test(document.querySelector('#live').textContent)`, before+1))
}

// keepAndLayOver keeps the run of /compare, lays it over the current one, and opens its export as a file. b has exported it.
func (b *tab) keepAndLayOver() {
	b.t.Helper()
	b.click("#export > summary")
	b.click("#run-keep")
	b.until("the kept run is listed", `document.querySelectorAll('#runs-list .pick').length === 1 && document.querySelector('#runs').open`)
	b.click("#runs-list [data-act=rename]")
	b.run(`document.querySelector('#runs-list input').value = 'Before the change'`)
	b.click("#runs-list form button")
	b.until("the new name", `document.querySelector('#runs-list .pick').textContent === 'Before the change'`)
	b.click("#runs-list .pick")
	b.until("it is laid over", `!document.querySelector('#runs').open && document.querySelector('#over-name').textContent === 'Before the change' &&
		/bytes/.test(document.querySelector('#over-sentence').textContent) && /Same setup/.test(document.querySelector('#over-differs').textContent)`)
	b.until("its figures and changes are beside the current ones", `(() => {
		const row = [...document.querySelectorAll('#figures tbody tr')].find((r) => r.textContent.includes('wire / tick'));
		return row.querySelectorAll('td').length === 9 && [...row.querySelectorAll('td')].every((td) => /\d/.test(td.textContent));
	})()`)
	b.until("its recovery is beside that of the drill", `/kept: [\d.]+/.test(document.querySelector('#drill-table').textContent)`)
	b.until("its lines are in the plots", `/kept run/.test(document.querySelector('#latency-key').textContent)`)
	b.audit()
	b.run(`{ const e = document.querySelector('#c-mode'); e.value = 'latest'; e.dispatchEvent(new Event('change', {bubbles: true})); }`)
	b.until("what differs", `/mode all → latest/.test(document.querySelector('#over-differs').textContent)`)
	b.click("#over-repeat")
	b.until("the kept run's setup", `document.querySelector('#c-mode').value === 'all' && /Same setup/.test(document.querySelector('#over-differs').textContent) && !/mode/.test(location.search)`)
	b.click("#over-remove")
	b.until("the overlay is removed", `document.querySelector('#over').hidden && document.querySelectorAll('#figures tbody tr')[0].cells.length === 4`)

	// A file is dropped onto the page; a damaged one is refused.
	drop := `{ const data = new DataTransfer(); data.items.add(new File([%s], 'shared.json'));
		document.querySelector('#figures').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })); }`
	b.run(fmt.Sprintf(drop, `window.exported[0].replace('"p50"', '"p49"')`))
	b.until("the field is named", `document.querySelector('#runs').open && /shared\.json cannot be opened\. .*p50: expected a number/.test(document.querySelector('#runs-status').textContent)`)
	b.run(fmt.Sprintf(drop, `window.exported[0]`))
	b.until("the file is laid over", `!document.querySelector('#runs').open && document.querySelector('#over-name').textContent === 'shared.json' && !document.querySelector('#over-keep').hidden`)
	b.click("#over-keep")
	b.reload()
	b.click("#export > summary")
	b.click("#runs-open")
	b.until("both runs are kept", `document.querySelectorAll('#runs-list .pick').length === 2`)
	b.audit()
	b.click("#runs-list [data-act=delete]")
	b.until("one is deleted", `document.querySelectorAll('#runs-list .pick').length === 1 && !document.querySelector('#runs-undo').hidden`)
	b.click("#runs-undo")
	b.until("and restored", `document.querySelectorAll('#runs-list .pick').length === 2`)
}

// runDrill runs a drill and waits until the page shows its outcome. A drill whose own EventSource doesn't open within five
// seconds is reported as failed; it is started again, as a user would.
func (b *tab) runDrill(action, what, shown string) {
	b.t.Helper()
	button := fmt.Sprintf(`document.querySelector('[data-drill="%s"]')`, action)
	b.click(fmt.Sprintf(`[data-drill="%s"]`, action))
	b.until(what+", drill over", `(() => {
		if (`+button+`.ariaDisabled) return false;
		if (!document.querySelector('#drill-state').classList.contains('bad')) return `+shown+`;
		`+button+`.click();
	})()`)
}

// TestCompareFindsInjectedDelay measures a known difference.
func TestCompareFindsInjectedDelay(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "50")
	b := openTab(t)
	b.visit(s.url + "/compare")
	b.until("the lab is enabled", `document.querySelector('#c-delay-a')?.options.length > 1`)
	largest := eval[string](b, `[...document.querySelector('#c-delay-b').options].at(-1).value`)
	b.run(`{ const e = document.querySelector('#c-delay-b'); e.value = ` + quoted(largest) + `; e.dispatchEvent(new Event('change', {bubbles: true})); }`)
	b.until("SSE faster", `/SSE is faster by/.test(document.querySelector('#sentence').textContent)`)
}

// TestCompareWithoutLab measures without the lab and explains how to enable it.
func TestCompareWithoutLab(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/compare")
	b.until("pairs arrive", `/pairs/.test(document.querySelector('#running').textContent)`)
	b.until("how to enable the lab", `/lab\.enabled/.test(document.querySelector('#lab-off').textContent) && !document.querySelector('#lab-off').hidden`)
	b.clean()
}

// TestCompareAfterReplay says that no ticks follow when the replay has ended.
func TestCompareAfterReplay(t *testing.T) {
	t.Parallel()
	s := serve(t, "--feed.source", "replay", "--feed.file", shortReplay(t), "--feed.loop=false")
	b := openTab(t)
	b.visit(s.url + "/compare")
	b.until("the end of the replay", `/^The replay ended at \d.*: no more quotes follow/.test(document.querySelector('#banner-text').textContent) && !document.querySelector('#banner').hidden &&
		document.querySelector('#banner-action').hidden`)
	b.clean()
}

// quoted returns v, a string or numbers, as a JavaScript literal.
func quoted(v any) string {
	b, _ := json.Marshal(v) // such values always marshal
	return string(b)
}
