package loadtest

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"
)

//go:embed report.html
var pageText string

var pageTemplate = template.Must(template.New("report").Parse(pageText))

// page is what the template shows.
type page struct {
	*Report
	Title   string
	Plots   []plot
	Rows    []pageRow
	Drilled []pageDrillRow
	Rounds  []pageSlot
	Facts   [][2]string
	Gen     string
	Two     bool
	Many    bool
	Classes []string // of the sides' lanes
	Dashes  []string // in the legend
	Prices  []string
	Priced  []pageTopic
}

// pageTopic is the contrasts of one topic.
type pageTopic struct {
	Heading string
	Rows    []pageContrast
}

type pageContrast struct {
	A, B   SideInfo
	Cells  []pagePrice
	Common string
}

// pagePrice is a difference, and who is higher when that stands out.
type pagePrice struct{ Difference, More, Class string }

type plot struct {
	Title  string
	Legend bool
	SVG    template.HTML
}

type pageRow struct {
	Label, A, B, Difference, Noise, Verdict, Class string
	Sides                                          []string // of many
}

type pageDrillRow struct {
	Label string
	Cells []string
}

type pageSlot struct {
	*Slot
	Name, Class, Rate, P50, P99, CPU, Generator, Late, Why string
}

// HTML renders the report as one page without scripts and styles: it must pass a strict Content-Security-Policy, and be
// readable as a file of its own. Served by Ticklane it finds a stylesheet at /static/report.css.
func (r *Report) HTML() ([]byte, error) {
	p := page{Report: r, Title: "Ticklane: " + r.title(), Two: len(r.Sides) == 2, Many: len(r.Sides) > 2, Gen: r.generatorText(), Facts: r.facts()}
	for _, s := range r.Sides {
		p.Classes = append(p.Classes, s.Lane)
	}
	for _, t := range tones(r.Sides) {
		p.Dashes = append(p.Dashes, []string{"━━", "╌╌", "┄┄", "─·─", "···", "─ ─"}[t.nth%len(dashes)])
	}
	add := func(title string, legend bool, svg template.HTML) {
		if svg != "" {
			p.Plots = append(p.Plots, plot{title, legend, svg})
		}
	}
	if len(r.Drills) > 0 {
		add("Back after a cut", true, r.recoveryPlot())
		add("Latency of those that read, ms", true, r.phasesPlot())
		p.drills()
	} else if len(r.Metrics) > 0 {
		svg, err := r.latencyPlot()
		if err != nil {
			return nil, err
		}
		add("Latency since due by percentile, ms", true, svg)
		add("Slot by slot, ms", true, r.roundsPlot())
		add("Bytes per tick", false, r.bytesPlot())
		add("Server CPU per million ticks", false, r.cpuPlot())
		if p.Many {
			add("Server memory per connection", false, r.memoryPlot())
		}
		p.rows()
		p.contrasts()
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (r *Report) title() string {
	var names []string
	for _, s := range r.Sides {
		names = append(names, s.Name)
	}
	what := strings.Join(names, " against ")
	if len(names) > 2 {
		what = strings.Join(names, ", ")
	}
	if kind, ok := strings.CutPrefix(r.Kind, "drill "); ok {
		return "drill " + kind + ", " + strings.Join(names, " and ")
	}
	return what
}

func (p *page) rows() {
	for _, m := range p.Metrics {
		d := m.digits()
		row := pageRow{Label: m.label(), A: m.A.show(d), B: m.B.show(d), Difference: m.Difference.show(d), Noise: "–", Verdict: string(m.Verdict), Class: "noise"}
		if m.Noise.Count > 0 {
			row.Noise = number(m.Noise.Max, d)
		}
		switch {
		case m.A.Count == 0 && m.B.Count == 0:
			row.Verdict = "not measured"
		case m.A.Count == 0 || m.B.Count == 0:
			row.Verdict = "" // one side has it
		case m.Verdict == Higher:
			row.Verdict, row.Class = p.Sides[0].Name+" higher", p.Classes[0]
		case m.Verdict == Lower && p.Two:
			row.Verdict, row.Class = p.Sides[1].Name+" higher", p.Classes[1]
		}
		for k := range p.Sides {
			row.Sides = append(row.Sides, m.of(k).show(d))
		}
		p.Rows = append(p.Rows, row)
	}
	for _, s := range p.Slots {
		k := int(s.Side[0] - 'A')
		p.Rounds = append(p.Rounds, pageSlot{
			Slot: s, Name: p.Sides[k].Name, Class: p.Classes[k], Rate: number(s.PerSecond, 0),
			P50: number(ms(s.Latency.P50), decimals(ms(s.Latency.P50))), P99: number(ms(s.Latency.P99), decimals(ms(s.Latency.P99))),
			CPU: number(s.Server.CPUPerMillion, decimals(s.Server.CPUPerMillion)), Generator: number(s.Generator.CPUShare*100, 0) + " %",
			Late: number(ms(s.Generator.Lateness99), decimals(ms(s.Generator.Lateness99))), Why: strings.Join(s.Reasons, "; "),
		})
	}
}

func (p *page) contrasts() {
	for _, price := range prices {
		m := p.metric(price.key)
		p.Prices = append(p.Prices, m.label())
	}
	for _, c := range p.Contrasts {
		if n := len(p.Priced); n == 0 || p.Priced[n-1].Heading != c.About.heading() {
			p.Priced = append(p.Priced, pageTopic{Heading: c.About.heading()})
		}
		a, b := c.sides()
		row := pageContrast{A: p.Sides[a], B: p.Sides[b]}
		for _, price := range prices {
			m, x := p.metric(price.key), c.metric(price.key)
			cell := pagePrice{Difference: x.Difference.show(m.digits()), More: string(x.Verdict), Class: "noise"}
			if share, higher := p.more(c, price.key); higher >= 0 {
				cell.More, cell.Class = p.Sides[higher].Name+" "+excess(share), p.Classes[higher]
			}
			row.Cells = append(row.Cells, cell)
		}
		t := &p.Priced[len(p.Priced)-1]
		t.Rows = append(t.Rows, row)
	}
}

func (p *page) drills() {
	for _, row := range drillRows(strings.TrimPrefix(p.Kind, "drill ")) {
		cells := pageDrillRow{Label: row.label}
		for _, d := range p.Drills {
			cells.Cells = append(cells.Cells, row.of(d))
		}
		p.Drilled = append(p.Drilled, cells)
	}
}

// facts is what one needs to judge or repeat the test.
func (r *Report) facts() [][2]string {
	m, t, s := r.Machine, r.Target, r.Setup
	cpu := m.CPU
	if cpu == "" {
		cpu = "processor not known"
	}
	machine := fmt.Sprintf("%s, %d cores, %s/%s", cpu, m.Cores, m.OS, m.Arch)
	if m.Memory > 0 {
		machine += fmt.Sprintf(", %d GiB", (m.Memory+1<<29)>>30)
	}
	server := "Ticklane " + t.Version + " at " + t.URL
	if t.Own {
		server = "Ticklane " + t.Version + ", a fresh one for each turn"
	}
	clock := "one clock: both processes on this machine"
	if t.Clock.Used {
		clock = fmt.Sprintf("server − ours %s ms, ± %s ms, by four-timestamp exchange; latencies are no more exact than that",
			number(ms(t.Clock.Offset), 3), number(ms(t.Clock.Error), 3))
	}
	setup := fmt.Sprintf("%s connections, topics %s, mode %s, encoding %s, compression %s; ramp %v, warm-up %v", count(s.Conns), s.Topics, s.Mode,
		s.Encoding, s.Compress, seconds(s.Ramp), seconds(s.Warmup))
	if r.Kind == "comparison" {
		setup += fmt.Sprintf(", window %v, %d rounds", seconds(s.Duration), s.Rounds)
	}
	if s.SlowReaders > 0 {
		setup += fmt.Sprintf("; %s slow readers", count(s.SlowReaders))
	}
	if s.Churn > 0 {
		setup += fmt.Sprintf("; %g connections/s closed and resumed", s.Churn)
	}
	facts := [][2]string{{"Setup", setup}}
	for _, side := range r.Sides {
		facts = append(facts, [2]string{side.Side, side.fact()})
	}
	facts = append(facts, [2]string{"Machine", machine}, [2]string{"Generator", m.Go + ". " + r.generatorText()}, [2]string{"Server", server})
	if len(t.Settings) > 0 {
		facts = append(facts, [2]string{"Its settings", strings.Join(t.Settings, " ")})
	}
	return append(facts,
		[2]string{"Feed", fmt.Sprintf("%s, seed %d, %s symbols", t.Feed, t.Seed, count(t.Symbols))},
		[2]string{"Clock", clock},
		[2]string{"When", r.Started.UTC().Format("2006-01-02 15:04:05") + " UTC, " + r.Ended.Sub(r.Started).Round(time.Second).String()})
}

// fact is what one needs to know of a side.
func (s SideInfo) fact() string {
	text := fmt.Sprintf("%s, engine %s", s.Name, s.Engine)
	if s.Encoding != "" {
		text += ", " + s.Encoding
	}
	if s.compressed() {
		text += ", compressed by " + s.Compression
	}
	if text += ", " + s.Path; len(s.Settings) > 0 {
		text += "; its server with " + strings.Join(s.Settings, " ")
	}
	return text
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
