package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// scene is a page in a state worth looking at.
type scene struct {
	name string
	show func(b *tab, p sceneServers)
}

// sceneServers are the servers that scenes use.
type sceneServers struct {
	server, unbuilt *server
	lab             *server // with the lab and load reports, for compareScenes
	net             *proxy  // in front of server, for one scene alone
}

var scenes = append([]scene{
	{"dashboard", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/")
		b.waitLoaded()
		for range 2 {
			b.press("l")
			b.until("the other lane", `/Switched/.test(document.querySelector('#log').textContent)`)
		}
		b.until("figures of the lane", `/\d/.test(document.querySelector('#latency').textContent) && /\d/.test(document.querySelector('#wire').textContent)`)
	}},
	{"lane-sheet", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/?lane=ws")
		b.waitLoaded()
		if eval[bool](b, "innerWidth < 900") { // wider, it is in sight anyway
			b.click("#state")
			b.until("figures of the lane", `/\d/.test(document.querySelector('.lane-stats [data-stat=wire]').textContent)`)
		}
	}},
	{"paused", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/?symbol=NVDA&sort=-change")
		b.waitLoaded()
		b.press("p")
		b.state("paused", "^Paused, [1-9]")
	}},
	{"search-empty", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/?q=zzz")
		b.until("nothing found", `!document.querySelector('#empty').hidden`)
		b.until("a drawn chart", drawn)
	}},
	{"keys", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/")
		b.waitLoaded()
		b.press("?")
	}},
	{"settings", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/")
		b.waitLoaded()
		b.press(",")
	}},
	{"chinese", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/?lang=zh-CN")
		b.waitLoaded()
	}},
	{"reconnecting", func(b *tab, p sceneServers) {
		b.inject(`Math.random = () => 100`) // attempts to reconnect are minutes apart
		b.visit(p.net.url + "/")
		b.waitLoaded()
		p.net.set(refusing)
		b.state("waiting", `^Reconnecting in \d`)
	}},
	{"unreachable", func(b *tab, p sceneServers) {
		b.visit(p.net.url + "/?lane=ws")
		b.waitLoaded()
		p.net.set(refusing)
		b.state("unreachable", `^Server unreachable$`)
	}},
	{"auto", func(b *tab, p sceneServers) {
		b.visit(newBlockingProxy(b.t, p.server, "ws").url + "/?lane=auto&prefer=ws")
		b.waitLoaded()
		b.autoState("^Auto: using SSE")
		if eval[bool](b, "innerWidth < 900") {
			b.click("#state")
		}
		b.until("figures of the lane", `/\d/.test(document.querySelector('.lane-stats [data-stat=wire]').textContent)`)
	}},
	{"offline", func(b *tab, p sceneServers) {
		b.visit(p.net.url + "/")
		b.waitLoaded()
		b.offline(true)
		p.net.set(refusing)
		b.state("offline", `^Offline$`)
	}},
	{"loading", func(b *tab, p sceneServers) {
		b.inject(`const real = fetch; fetch = (url, ...rest) => /api.symbols/.test(url) ? new Promise(() => {}) : real(url, ...rest);`)
		b.visit(p.server.url + "/")
		b.until("still loading", `document.querySelector('#grid').ariaBusy === 'true' && document.querySelector('#app').dataset.state === 'live'`)
	}},
	{"ended", func(b *tab, p sceneServers) {
		b.inject(noSharedWorker + `EventSource = class extends EventSource { constructor(url) { super(url + '&limit=60'); } };`)
		b.visit(p.server.url + "/")
		b.state("ended", "^Ended$")
		b.until("a drawn chart", drawn)
	}},
	{"restarted", func(b *tab, p sceneServers) {
		s := serve(b.t)
		net := newProxy(b.t, s)
		b.visit(net.url + "/")
		b.waitLoaded()
		s.stop()
		b.waitDisconnected()
		net.setTarget(serve(b.t))
		b.logged("Sequence reset; snapshot of 50 symbols")
		b.waitLoaded()
	}},
	{"full", func(b *tab, p sceneServers) {
		s := serve(b.t, "--limits.connections", "1")
		occupant, err := http.Get(s.url + "/sse/subscribe?topics=AAPL")
		if err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { occupant.Body.Close() })
		b.visit(s.url + "/")
		b.state("full", "^Server full$")
		b.until("a countdown", `/next try in \d/.test(document.querySelector('#banner-text').textContent)`)
	}},
	{"replay-ended", func(b *tab, p sceneServers) {
		b.visit(serve(b.t, "--feed.source", "replay", "--feed.file", shortReplay(b.t), "--feed.loop=false").url + "/")
		b.until("the end of the replay is reported", `/^The replay ended at \d/.test(document.querySelector('#banner-text').textContent) && document.querySelector('#app').dataset.state === 'replayed' && document.querySelector('.rows .stale')`)
	}},
	{"chinese-unreachable", func(b *tab, p sceneServers) {
		b.visit(p.net.url + "/?lang=zh-CN")
		b.waitLoaded()
		p.net.set(refusing)
		b.state("unreachable", `.`)
	}},
	{"no-scripts", func(b *tab, p sceneServers) {
		b.enableScripts(false)
		b.visit(p.server.url + "/?sort=-change")
	}},
	{"no-scripts-chinese", func(b *tab, p sceneServers) {
		b.enableScripts(false)
		b.visit(p.server.url + "/?lang=zh-CN&sector=technology&refresh=off")
	}},
	{"reports", func(b *tab, p sceneServers) { b.visit(p.server.url + "/reports") }},
	{"docs", func(b *tab, p sceneServers) { b.visit(p.server.url + "/docs") }},
	{"sse-home", func(b *tab, p sceneServers) { b.visitHome(p.server.url + "/sse/home?user=me&topics=sector:technology") }},
	{"ws-home", func(b *tab, p sceneServers) { b.visitHome(p.server.url + "/ws/home") }},
	{"error", func(b *tab, p sceneServers) { b.visit(p.server.url + "/nothing") }},
	{"bad-request", func(b *tab, p sceneServers) { b.visit(p.server.url + "/sse/home?topics=NOPE") }},
	{"unbuilt", func(b *tab, p sceneServers) { b.visit(p.unbuilt.url + "/") }},
}, marketScenes...)

// shortReplay returns a CSV file of 40 ticks that lasts under a second.
func shortReplay(t testing.TB) string {
	t.Helper()
	text := strings.Builder{}
	text.WriteString("time,symbol,price,volume\n")
	for i := range 40 {
		fmt.Fprintf(&text, "2026-01-05T14:30:%02d.%03dZ,%s,%d.%02d,%d\n", 0, 20*i, []string{"AAPL", "MSFT", "NVDA", "JPM"}[i%4], 100+i%4, i, 100*(i+1))
	}
	name := filepath.Join(t.TempDir(), "short.csv")
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// waitLoaded waits until the dashboard has painted quotes, chart and sparklines.
func (b *tab) waitLoaded() {
	b.t.Helper()
	b.waitLive()
	b.until("a drawn chart", drawn)
	b.until("history in the sparklines", `[...document.querySelectorAll('.rows .sparkcol')].filter((e) => e.checkVisibility()).every((e) => e.querySelector('path[d^=M]'))`)
}

func (b *tab) visitHome(url string) {
	b.t.Helper()
	b.visit(url)
	b.until("messages", `document.querySelectorAll('#messages li').length > 12`)
}

// view is a window in a theme.
type view struct {
	size  image.Point
	theme string
}

// views returns the views of each tab that shows scene k: one, alternately wide and dark or narrow and light. For pictures
// they are all views, in a tab for each layout of the page.
func views(k int) [][]view {
	if *pictures == "" {
		return [][]view{{{image.Pt(1440, 900), "dark"}}, {{image.Pt(390, 844), "light"}}}[k%2 : k%2+1]
	}
	all := [][]view{}
	for _, sizes := range [][]image.Point{{{1440, 900}}, {{720, 450}, {640, 360}}, {{390, 844}}} {
		tab := []view{}
		for _, theme := range []string{"dark", "light"} {
			for _, size := range sizes {
				tab = append(tab, view{size, theme})
			}
		}
		all = append(all, tab)
	}
	return all
}

// TestScenes shows every scene: it isn't blank, on a phone nothing is wider than the screen, and axe-core finds nothing. With
// -pictures it keeps screenshots of each, and of the comparison, in both themes and four sizes.
func TestScenes(t *testing.T) {
	t.Parallel()
	servers := sceneServers{server: serve(t), unbuilt: serveUnbuilt(t)}
	if *pictures != "" {
		servers.lab = serve(t, "--lab.enabled=true", "--market.rate", "200", "--load.reports", reportsDir(t))
		scenes = slices.Concat(scenes, compareScenes, accessScenes)
	}
	for k, scene := range scenes {
		for _, views := range views(k) {
			t.Run(fmt.Sprintf("%s-%d", scene.name, views[0].size.X), func(t *testing.T) {
				t.Parallel()
				servers := servers
				servers.net = newProxy(t, servers.server)
				b := openTab(t)
				for n, v := range views {
					b.colorScheme(v.theme)
					b.size(int64(v.size.X), int64(v.size.Y))
					if n == 0 {
						scene.show(b, servers)
					} else {
						time.Sleep(time.Second) // is painted; there may be no scripts
					}
					if v.size.X < 600 {
						b.checkPhone()
					}
					picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
					if err != nil {
						t.Fatal(err)
					}
					checkScreenshot(t, picture, v.size)
					if *pictures != "" {
						keep(t, *pictures, fmt.Sprintf("%s-%s-%d", scene.name, v.theme, v.size.X), picture)
					}
				}
				if *pictures == "" && !strings.HasPrefix(scene.name, "no-scripts") { // axe-core is a script
					b.audit()
				}
			})
		}
	}
}

// checkScreenshot fails the test unless picture is a PNG of this size with at least 20 colours.
func checkScreenshot(t testing.TB, picture []byte, size image.Point) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	if have := img.Bounds().Size(); have != size {
		t.Errorf("size of the screenshot %v, want %v", have, size)
	}
	seen := map[color.Color]bool{}
	for y := 0; y < img.Bounds().Dy() && len(seen) < 20; y++ {
		for x := range img.Bounds().Dx() {
			seen[img.At(x, y)] = true
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d colours: the page is blank", len(seen))
	}
}

func keep(t testing.TB, dir, name string, picture []byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
