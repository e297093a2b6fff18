package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestCompareVariants compares SSE on one engine with protobuf over WebSocket on another: both are measured, the sentence and
// the figures name them by what differs, and the claim on binary messages rests on those received.
func TestCompareVariants(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "200")
	b := openTab(t)
	b.visit(s.url + "/compare?engine=stream,shard&sides=sse,sse")
	b.until("the names of two engines of a lane", `/SSE stream/.test(document.querySelector('#figures').textContent) && /SSE shard/.test(document.querySelector('#figures').textContent)`)

	b.visit(s.url + "/compare?engine=stream,shard&encoding=json,protobuf")
	b.until("sides named by their differences", `/SSE stream/.test(document.querySelector('#figures').textContent) && /WebSocket shard protobuf/.test(document.querySelector('#figures').textContent)`)
	b.until("the form shows the setup", `document.querySelector('#c-engine-b').value === 'shard' && document.querySelector('#c-encoding-b').value === 'protobuf' &&
		document.querySelector('#c-encoding-a').disabled`)
	b.until("bytes in the sentence", `/SSE stream costs .* more bytes/.test(document.querySelector('#sentence').textContent)`)
	b.until("the claim on binary messages", `/binary here: .* protobuf messages/.test(document.querySelector('#claims').textContent)`)
	b.until("no claim on latency", `/use the same engine on both lanes/.test(document.querySelector('#claims').textContent)`)
}

// TestCompareCompression: with the lab each side is compressed or isn't, as chosen, independent of what the browser offers.
// The page reads every tick of both and shows their bytes.
func TestCompareCompression(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "200")
	b := openTab(t)
	for n, x := range []struct{ sides, a, b, compress, smaller string }{
		{"sse,ws", "SSE compressed", "WebSocket uncompressed", "on,off", "a < b / 2"},
		{"sse,sse", "SSE uncompressed", "SSE compressed", "off,on", "b < a / 2"},
		{"ws,ws", "WebSocket compressed", "WebSocket uncompressed", "on,off", "a < b / 2"},
	} {
		b.visit(s.url + "/compare?sides=" + x.sides)
		b.until("the lab offers compression to both sides", `!document.querySelector('#compress').hidden &&
			['a', 'b'].every((k) => [...document.querySelector('#c-compress-' + k).options].map((o) => o.value).join() === ',off,on')`)
		for k, value := range strings.Split(x.compress, ",") {
			b.run(fmt.Sprintf(`{ const e = document.querySelector('#c-compress-%c'); e.value = %q; e.dispatchEvent(new Event('change', {bubbles: true})); }`, "ab"[k], value))
		}
		b.until("names of both sides", fmt.Sprintf(`document.querySelector('#figures .side-a').textContent === %q && document.querySelector('#figures .side-b').textContent === %q`, x.a, x.b))
		b.until("bytes for a tick of each side", `(() => {
			const row = [...document.querySelectorAll('#figures tr')].find((r) => r.textContent.startsWith('wire / tick'));
			const [a, b] = [...row.querySelectorAll('td')].map((c) => parseFloat(c.textContent));
			return Math.min(a, b) > 10 && `+x.smaller+`; })()`)
		if n == 0 {
			b.until("bytes in the sentence", `/WebSocket uncompressed costs [1-9][0-9]+ % more bytes/.test(document.querySelector('#sentence').textContent)`)
			b.until("framing of the uncompressed side alone", `(() => {
				const row = [...document.querySelectorAll('#figures tr')].find((r) => r.textContent.startsWith('framing'));
				const [compressed, plain, difference] = [...row.querySelectorAll('td')].map((c) => c.textContent.trim());
				return compressed === '–' && parseFloat(plain) > 0 && difference === '–' && /no framing of their own/.test(document.querySelector('#bytes').textContent) &&
					/ compressed$/.test(document.querySelector('.byte-bar.side-a').ariaLabel) && / framing$/.test(document.querySelector('.byte-bar.side-b').ariaLabel);
			})()`)
		}
		b.until("every tick was read", `[...document.querySelectorAll('#figures tr')].find((r) => r.textContent.startsWith('gaps')).textContent.includes('0 · 0 · 00 · 0 · 0') &&
			!/was requested/.test(document.querySelector('#notes').textContent)`)
	}
}

// TestCompareExplainsMissingCompression: a browser doesn't report why a stream was refused, so the page gives the reason.
func TestCompareExplainsMissingCompression(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--stream.compress=off")
	b := openTab(t)
	b.visit(s.url + "/compare?compress=on,off")
	b.until("the reason in the banner", `/Compression is disabled on this server/.test(document.querySelector('#banner-text').textContent) && !document.querySelector('#compress').hidden`)
	b.run(`{ const e = document.querySelector('#c-compress-a'); e.value = ''; e.dispatchEvent(new Event('change', {bubbles: true})); }`)
	b.until("both sides run without compression", `/[1-9]\d* pairs/.test(document.querySelector('#running').textContent) && document.querySelector('#banner').hidden`)
}
