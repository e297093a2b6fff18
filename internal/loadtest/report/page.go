package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"ticklane/internal/loadtest/stats"
)

//go:embed report.html
var pageText string

var pageTemplate = template.Must(template.New("report").Parse(pageText))

// page is the data of the template.
type page struct {
	*Report
	Title        string
	Plots        []plot
	Rows         []pageRow
	DrillRows    []pageDrillRow
	Intervals    []pageWindow
	Facts        [][2]string
	Two          bool
	Many         bool
	Classes      []string // CSS classes of the variants' lanes
	DrillClasses []string // of Drills
	Dashes       []string // of the variants, in the legend
	Costs        []string
	Topics       []pageTopic
	Changes      []pageChanges
	Limits       []pageThreshold
	Reasons      []string // why figures of Limits were not measured
}

// pageTopic is the table of the pairs of one topic.
type pageTopic struct {
	Heading string
	Rows    []pagePair
}

type pagePair struct {
	A, B  Variant
	Cells []pageCost
}

// pageCost is a difference, and which variant is higher.
type pageCost struct{ Difference, Verdict, Class string }

// pageChanges are the changes of a figure since the baseline, one of each variant.
type pageChanges struct {
	Label string
	Cells []pageChange
}

type pageChange struct{ Text, Verdict, Class string }

// pageThreshold has a cell for each variant.
type pageThreshold struct {
	Threshold
	Cells []pageThresholdCell
}

type pageThresholdCell struct {
	Text           string
	Broken, Absent bool // outside of the scope: absent
}

type plot struct {
	Title  string
	Legend bool
	SVG    template.HTML
}

type pageRow struct {
	Label, A, B, Difference, Noise, Verdict, Class string
	Variants                                       []string // if more than two
}

type pageDrillRow struct {
	Label string
	Cells []string
}

type pageWindow struct {
	*Window
	Name, Class, Rate, P50, P99, CPU, Generator, Late, Reason string
}

// HTML returns the report as one page without scripts and styles: it satisfies a strict Content-Security-Policy and can be
// opened as a file. Served by Ticklane it finds a stylesheet at ../static/report.css.
func (r *Report) HTML() ([]byte, error) {
	p := page{Report: r, Title: "Ticklane: " + r.title(), Two: len(r.Variants) == 2, Many: len(r.Variants) > 2, Facts: r.facts()}
	for _, v := range r.Variants {
		p.Classes = append(p.Classes, v.Lane)
	}
	for _, t := range tones(r.Variants) {
		p.Dashes = append(p.Dashes, []string{"━━", "╌╌", "┄┄", "─·─", "···", "─ ─"}[t.nth%len(dashes)])
	}
	p.addThresholds()
	p.addChanges()
	if err := p.addPlots(); err != nil {
		return nil, err
	}
	if len(r.Drills) > 0 {
		p.addDrills()
	} else if len(r.Metrics) > 0 {
		p.addMetrics()
		p.addWindows()
		p.addPairs()
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (r *Report) title() string {
	var names []string
	for _, v := range r.Variants {
		names = append(names, v.Name)
	}
	switch {
	case r.isDrill():
		return r.Kind + ", " + strings.Join(names, " and ")
	case len(names) > 2:
		return strings.Join(names, ", ")
	}
	return strings.Join(names, " against ")
}

func (p *page) addPlots() error {
	add := func(title string, legend bool, svg template.HTML) {
		if svg != "" {
			p.Plots = append(p.Plots, plot{title, legend, svg})
		}
	}
	if len(p.Drills) > 0 {
		add("Reconnected after a cut", true, p.reconnectPlot())
		add("Latency of the connections that keep reading, ms", true, p.phasesPlot())
		return nil
	}
	if len(p.Metrics) == 0 {
		return nil
	}
	svg, err := p.latencyPlot()
	if err != nil {
		return err
	}
	add("Latency since due by percentile, ms", true, svg)
	add("Window by window, ms", true, p.windowsPlot())
	add("Bytes per tick", false, p.bytesPlot())
	add("Server CPU per million ticks", false, p.cpuPlot())
	if p.Many {
		add("Server memory per connection", false, p.memoryPlot())
	}
	return nil
}

func (p *page) addMetrics() {
	for _, m := range p.Metrics {
		d := m.digits()
		row := pageRow{Label: m.label(), A: showRange(m.A, d), B: showRange(m.B, d), Difference: showInterval(m.Difference, d), Noise: "–",
			Verdict: p.verdictText(m), Class: "noise"}
		if m.Noise.Count > 0 {
			row.Noise = number(m.Noise.Max, d)
		}
		if p.Two && row.Verdict != "not measured" {
			row.Verdict = strings.NewReplacer("A not", p.Variants[0].Name+" not", "B not", p.Variants[1].Name+" not").Replace(row.Verdict)
		}
		switch stats.Verdict(row.Verdict) {
		case stats.Higher:
			row.Verdict, row.Class = p.Variants[0].Name+" higher", p.Classes[0]
		case stats.Lower:
			if p.Two {
				row.Verdict, row.Class = p.Variants[1].Name+" higher", p.Classes[1]
			}
		}
		for k := range p.Variants {
			row.Variants = append(row.Variants, showRange(m.of(k), d))
		}
		p.Rows = append(p.Rows, row)
	}
}

func (p *page) addWindows() {
	given := make(map[string]string)
	for _, w := range p.Windows {
		k := index(w.Variant)
		reason := strings.Join(w.Reasons, "; ")
		if key := ReasonKey(reason); given[key] != "" {
			reason = "as " + given[key]
		} else if reason != "" {
			given[key] = fmt.Sprintf("round %d, %s", w.Round, p.Variants[k].Name)
		}
		p.Intervals = append(p.Intervals, pageWindow{
			Window: w, Name: p.Variants[k].Name, Class: p.Classes[k], Rate: number(w.PerSecond, 0),
			P50: number(ms(w.Latency.P50), decimals(ms(w.Latency.P50))), P99: number(ms(w.Latency.P99), decimals(ms(w.Latency.P99))),
			CPU: number(w.Server.CPUPerMillion, decimals(w.Server.CPUPerMillion)), Generator: number(w.Generator.CPUShare*100, 0) + " %",
			Late: number(ms(w.Generator.Lateness99), decimals(ms(w.Generator.Lateness99))), Reason: reason,
		})
	}
}

func (p *page) addPairs() {
	for _, c := range costs {
		p.Costs = append(p.Costs, p.metric(c.key).label())
	}
	for _, pair := range p.Pairwise {
		if n := len(p.Topics); n == 0 || p.Topics[n-1].Heading != pair.About.heading() {
			p.Topics = append(p.Topics, pageTopic{Heading: pair.About.heading()})
		}
		a, b := pair.variants()
		row := pagePair{A: p.Variants[a], B: p.Variants[b]}
		for _, c := range costs {
			m, x := p.metric(c.key), pair.metric(c.key)
			cell := pageCost{Difference: showInterval(x.Difference, m.digits()), Verdict: string(x.Verdict), Class: "noise"}
			if share, higher := pair.excess(m); higher >= 0 {
				cell.Verdict, cell.Class = p.Variants[higher].Name+" "+excessText(share), p.Classes[higher]
			}
			row.Cells = append(row.Cells, cell)
		}
		t := &p.Topics[len(p.Topics)-1]
		t.Rows = append(t.Rows, row)
	}
}

func (p *page) addChanges() {
	if p.Baseline == nil {
		return
	}
	for _, row := range p.baselineRows() {
		cells := make([]pageChange, len(row.changes))
		for k, c := range row.changes {
			cells[k] = pageChange{Text: "–"}
			if c == nil {
				continue
			}
			cells[k] = pageChange{c.show(), c.Verdict, "noise"}
			if c.differs() {
				cells[k].Verdict, cells[k].Class = strings.TrimLeft(c.showShare()+" "+c.Verdict, "+− "), p.Classes[k]
			} else if c.Verdict == "" {
				cells[k].Text = strings.TrimSpace(c.show() + "  " + c.showShare())
			}
		}
		p.Changes = append(p.Changes, pageChanges{row.label, cells})
	}
}

func (p *page) addThresholds() {
	for _, t := range p.Thresholds {
		row := pageThreshold{Threshold: t, Cells: make([]pageThresholdCell, len(p.Variants))}
		for k := range row.Cells {
			row.Cells[k] = pageThresholdCell{Text: "–", Absent: true}
		}
		for _, result := range t.Results {
			row.Cells[index(result.Variant)] = pageThresholdCell{Text: t.show(result), Broken: !result.Held}
		}
		for _, reason := range p.reasons(t) {
			if !slices.Contains(p.Reasons, reason) {
				p.Reasons = append(p.Reasons, reason)
			}
		}
		p.Limits = append(p.Limits, row)
	}
}

func (p *page) addDrills() {
	for _, d := range p.Drills {
		p.DrillClasses = append(p.DrillClasses, p.Classes[index(d.Variant)])
	}
	for _, row := range drillRows(p.drill()) {
		cells := pageDrillRow{Label: row.label}
		for _, d := range p.Drills {
			cells.Cells = append(cells.Cells, row.cell(d))
		}
		p.DrillRows = append(p.DrillRows, cells)
	}
}
