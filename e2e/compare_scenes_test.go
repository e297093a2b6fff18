package e2e

// compareScenes are the states of the comparison and of load reports. Their figures take a minute each, so only -pictures
// shows them; TestCompare audits the same states.
var compareScenes = []scene{
	{"compare-loading", func(b *tab, p sceneServers) { b.visit(p.lab.url + "/compare?aa=1&compress=on,off") }},
	{"compare", func(b *tab, p sceneServers) { b.showComparison(p, "") }},
	{"compare-chinese", func(b *tab, p sceneServers) { b.showComparison(p, "?lang=zh-CN") }},
	{"compare-compressed", func(b *tab, p sceneServers) { b.showComparison(p, "?compress=on,off") }},
	{"compare-drills", func(b *tab, p sceneServers) {
		b.showComparison(p, "")
		b.run(`document.querySelector('#t-drills').scrollIntoView(); scrollBy(0, -60)`)
	}},
	{"compare-claims", func(b *tab, p sceneServers) {
		b.showComparison(p, "")
		b.run(`document.querySelector('#claims').scrollIntoView(); scrollBy(0, -60)`)
	}},
	{"compare-kept-runs", func(b *tab, p sceneServers) { b.showKeptRuns(p) }},
	{"compare-over", func(b *tab, p sceneServers) { b.showOverlay(p) }},
	{"compare-over-figures", func(b *tab, p sceneServers) {
		b.showOverlay(p)
		b.run(`document.querySelector('#figures').scrollIntoView(); scrollBy(0, -60)`)
	}},
	{"reports-some", func(b *tab, p sceneServers) {
		b.visit(p.lab.url + "/reports")
		b.until("a course", `document.querySelector('#trend-plot svg')`)
	}},
	{"reports-trend", func(b *tab, p sceneServers) {
		b.visit(p.lab.url + "/reports")
		b.until("a course", `document.querySelector('#trend-plot svg')`)
		b.run(`document.querySelector('#trend').scrollIntoView(); scrollBy(0, -60)`)
	}},
}

// showComparison shows the comparison with figures in every part and a drill.
func (b *tab) showComparison(p sceneServers, query string) {
	b.t.Helper()
	b.visit(p.lab.url + "/compare" + query)
	b.until("the sentence", `document.querySelector('#sentence').dataset.state === 'ready'`)
	b.runDrill("cut", "rows of the drill", `document.querySelectorAll('#drill-table tbody tr').length >= 2`)
}

// showKeptRuns shows the dialog of kept runs with one run in it.
func (b *tab) showKeptRuns(p sceneServers) {
	b.t.Helper()
	b.showComparison(p, "")
	b.click("#export > summary")
	b.click("#run-keep")
	b.until("the kept run is listed", `document.querySelectorAll('#runs-list li').length === 1`)
}

// showOverlay shows a kept run over the current one.
func (b *tab) showOverlay(p sceneServers) {
	b.t.Helper()
	b.showKeptRuns(p)
	b.click("#runs-list .pick")
	b.until("it is laid over", `!document.querySelector('#runs').open && !document.querySelector('#over').hidden`)
	b.run(`scrollTo(0, 0)`)
}
