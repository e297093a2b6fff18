package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// spoken is every text that a page shows or says in Latin letters, but names: of protocols, browsers and their APIs, of
// makers and units, and what stands in an address. Marked as English may be what others wrote, and what programs read.
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

// marked is where English stands that is marked as such.
const markedEnglish = `[...new Set([...document.querySelectorAll('[lang=en]')].map((e) => e.closest('#settings,.docs,#pair-table,.said')?.className || e.closest('[id]')?.id || e.outerHTML))].sort().join(' | ')`

// No page but the dashboard, which TestChinese reads, has a word of English for a reader of Chinese, whatever state it is
// in. Descriptions of the API and load reports are in English, and say so.
func TestEveryPageInChinese(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "200", "--load.reports", reportsDir(t))
	const settings = "keys settings"
	const priced = settings + " | prices-note" // the newest report's sentence
	for _, page := range []struct {
		path, markedEnglish, ready string
		do                         func(b *tab)
	}{
		{"/compare", priced, `document.querySelector('#costs-note [lang=en]') && [...document.querySelectorAll('#claims .tag')].some((e) => e.textContent === '成立')`, func(b *tab) {
			b.runDrill("cut", "the drill's rows", `document.querySelectorAll('#drill-table .recovered').length >= 3`)
			b.press("f?")
			b.until("it is held, and the keys are shown", `document.querySelector('#keys').open && /冻结/.test(document.querySelector('#notes').textContent)`)
		}},
		{"/compare?rate=0&mode=x&topics=NOPE&sides=ws,ws", priced, `document.querySelector('#costs-note [lang=en]') && document.querySelectorAll('#notes li').length >= 2 && /没有“NOPE”/.test(document.querySelector('#setup-error').textContent)`, nil},
		{"/reports", settings, `document.querySelectorAll('.reports tbody tr').length >= 2`, nil},
		{"/reports?a=standard&b=resume", "figures pairs | " + settings, `document.querySelectorAll('#pair-table tbody tr').length > 12 && /条件不同/.test(document.querySelector('#pair-note').textContent)`, nil},
		{"/docs", "app doc docs | " + settings, `document.querySelectorAll('article').length > 20`, func(b *tab) {
			if have := b.text(".page-head .soft"); have != "各接口的说明沿用接口描述文件（OpenAPI、AsyncAPI）的英文原文。" {
				b.t.Errorf("of its English the page says %q", have)
			}
		}},
		{"/sse/home?user=me&topics=AAPL,MSFT", "", `document.querySelectorAll('#messages li').length > 3`, nil},
		{"/ws/home?user=me&topics=AAPL,MSFT", "", `document.querySelectorAll('#messages li').length > 3`, nil},
		{"/nothing", "", `document.querySelector('h1')`, nil},
		{"/sse/home?topics=NOPE", "said", `document.querySelector('.said')`, nil},
	} {
		t.Run(page.path, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.acceptLanguage("zh-CN,zh;q=0.9")
			b.visit(s.url + page.path)
			b.until("the page", page.ready)
			if page.do != nil {
				page.do(b)
			}
			if have := eval[string](b, "document.documentElement.lang"); have != "zh-CN" {
				t.Errorf("lang is %q", have)
			}
			if have := eval[[]string](b, englishText); len(have) > 0 {
				t.Errorf("a page in Chinese says %q", have)
			}
			if have := eval[string](b, markedEnglish); have != page.markedEnglish {
				t.Errorf("marked as English is %q, want %q", have, page.markedEnglish)
			}
		})
	}
}

// Chinese pages are held to what TestAccessibility asks, where they have most to say.
func TestAccessibilityInChinese(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing; run 'make assets': %v", err)
	}
	s := serve(t, "--lab.enabled=true", "--market.rate", "200", "--load.reports", reportsDir(t))
	for _, theme := range []string{"dark", "light"} {
		for path, ready := range map[string]string{
			"/compare":                     `[...document.querySelectorAll('#claims .tag')].some((e) => e.textContent === '成立') && document.querySelector('#same-plot,#diff-plot canvas')`,
			"/reports?a=standard&b=resume": `document.querySelectorAll('#pair-table tbody tr').length > 12`,
		} {
			t.Run(theme+path, func(t *testing.T) {
				t.Parallel()
				b := openTab(t)
				b.acceptLanguage("zh-CN,zh;q=0.9")
				b.colorScheme(theme)
				b.visit(s.url + path)
				b.until("the page", ready)
				b.audit(string(axe))
				if path == "/compare" {
					b.press("?")
					b.until("the keys are shown", `document.querySelector('#keys').open`)
					b.audit(string(axe))
				}
			})
		}
	}
}

// reportsFolder is that of the repository; a server of these tests runs elsewhere.
func reportsDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "docs/reports"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
