package e2e

import (
	"path/filepath"
	"testing"
)

// englishText lists the texts and labels of a page that are in Latin letters, except names of protocols, browsers and their
// APIs, makers and units, and what addresses consist of. Elements marked as English may hold text of others and code.
const englishText = `(() => {
	const names = new RegExp('(?:GET|POST|HEAD) /\\S+|\\b(?:' + [
		'Ticklane', 'OpenAPI', 'AsyncAPI', 'API', 'English', 'UTC', 'Chrom\\w+ \\d+', 'dev', 'JavaScript', 'Go',
		'Server-Sent Events', 'SSE', 'WebSocket', 'EventSource', 'HTTP(?:/[\\d.]+)?', 'http/[\\d.]+', 'GET', 'POST', 'HEAD', 'RST', 'CLOSED', 'Authorization', 'cookie', 'headers', 'fetch',
		'error', 'retry', 'data', 'text/event-stream', 'X-Accel-Buffering: no', 'id', 'JSON', 'CSV', 'PNG', 'protobuf', 'json', 'CPU', 'A/A', 'WS', 'p\\d+', 'KiB', 'kB', 'MB', 'B', 'µs', 'ms', 's',
		'stream', 'body', 'shard', 'loopback', 'all', 'latest', 'on', 'off', 'AAPL', 'MSFT', 'rate', 'mode', 'standard', 'resume', 'engines', 'NOPE',
		'Intel\\(R\\) Xeon\\(R\\) Processor', 'linux', '[0-9a-f]{7}', 'T', 'K',
	].join('|') + ')(?![A-Za-z])', 'g');
	const found = [document.title];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const e = n instanceof Element ? n : n.parentElement;
		if (e.closest('[lang=en],[translate=no],script,noscript,style,code,pre,kbd,.newest,.what b,#news,#messages')) continue;
		if (n === e) for (const a of ['aria-label', 'aria-description', 'title', 'placeholder', 'alt']) found.push(e.getAttribute(a) ?? '');
		else found.push(n.data);
	}
	return found.filter((s) => /[A-Za-z]{2,}/.test(s.replace(names, '')));
})()`

// markedEnglish lists the elements that are marked as English.
const markedEnglish = `[...new Set([...document.querySelectorAll('[lang=en]')].map((e) => e.closest('#settings,.docs,#pair-table,.detail')?.className || e.closest('[id]')?.id || e.outerHTML))].sort().join(' | ')`

// TestEveryPageInChinese finds English on the Chinese pages, in several states, and audits those with most text. The
// dashboard is TestChinese's. Descriptions of the API and load reports are in English and marked as such.
func TestEveryPageInChinese(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "200", "--load.reports", reportsDir(t))
	const settings = "keys settings"
	const priced = "costs-note | " + settings // the newest report's sentence
	for _, page := range []struct {
		path, marked, ready string
		audited             bool
		do                  func(b *tab)
	}{
		{"/compare", priced, `document.querySelector('#costs-note [lang=en]') && [...document.querySelectorAll('#claims .tag')].some((e) => e.textContent === '成立') && document.querySelector('#same-plot,#diff-plot canvas')`, true, func(b *tab) {
			b.runDrill("cut", "rows of the drill", `document.querySelectorAll('#drill-table .recovered').length >= 3`)
			b.press("f?")
			b.until("frozen, with the keys shown", `document.querySelector('#keys').open && /冻结/.test(document.querySelector('#notes').textContent)`)
		}},
		{"/compare?rate=0&mode=x&topics=NOPE&sides=ws,ws", priced, `document.querySelector('#costs-note [lang=en]') && document.querySelectorAll('#notes li').length >= 2 && /NOPE/.test(document.querySelector('#banner-text').textContent)`, false, nil},
		{"/reports", settings, `document.querySelectorAll('#reports tbody tr').length >= 2 && document.querySelectorAll('#trend-plot .point').length === 4 && document.querySelectorAll('#trend-table tbody tr').length === 1`, true, func(b *tab) {
			b.run(`{ const e = document.querySelector('#trend-figure'); e.value = 'lost'; e.dispatchEvent(new Event('change')); }`)
			b.until("lost ticks of the drill too, and the figure in the address", `document.querySelectorAll('#trend-table tbody tr').length === 2 && /figure=lost/.test(location.search) && /连线连接/.test(document.querySelector('#trend-note').textContent)`)
			b.click("#trend-key button")
			b.until("a line is hidden", `document.querySelectorAll('#trend-plot .point').length < document.querySelectorAll('#trend-table tbody td.num').length && document.querySelector('#trend-key button').ariaPressed === 'false'`)
		}},
		{"/reports?a=standard&b=resume", "figures pairs | " + settings, `document.querySelectorAll('#pair-table tbody tr').length > 12 && /条件不同/.test(document.querySelector('#pair-note').textContent)`, true, nil},
		{"/docs", "app doc docs | " + settings, `document.querySelectorAll('article').length > 20`, false, func(b *tab) {
			if have := b.text(".page-head .soft"); have != "各接口的说明沿用接口描述文件（OpenAPI、AsyncAPI）的英文原文。" {
				b.t.Errorf("note on English texts %q", have)
			}
		}},
		{"/sse/home?user=me&topics=AAPL,MSFT", "", `document.querySelectorAll('#messages li').length > 3`, false, nil},
		{"/ws/home?user=me&topics=AAPL,MSFT", "", `document.querySelectorAll('#messages li').length > 3`, false, nil},
		{"/nothing", "", `document.querySelector('h1')`, false, nil},
		{"/sse/home?topics=NOPE", "detail", `document.querySelector('.detail')`, false, nil},
	} {
		t.Run(page.path, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.acceptLanguage("zh-CN,zh")
			b.visit(s.url + page.path)
			b.until("the page", page.ready)
			if page.audited {
				b.auditBothThemes()
			}
			if page.do != nil {
				page.do(b)
				if page.audited {
					b.auditBothThemes()
				}
			}
			if have := eval[string](b, "document.documentElement.lang"); have != "zh-CN" {
				t.Errorf("lang is %q", have)
			}
			if have := eval[[]string](b, englishText); len(have) > 0 {
				t.Errorf("English on a Chinese page: %q", have)
			}
			if have := eval[string](b, markedEnglish); have != page.marked {
				t.Errorf("marked as English: %q, want %q", have, page.marked)
			}
		})
	}
}

// reportsDir returns the repository's folder of load reports, as an absolute path: a server of these tests has another
// working directory.
func reportsDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "docs/reports"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
