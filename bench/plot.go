package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"slices"
	"strings"
)

// Sizes of the plot, in SVG units.
const (
	plotWidth  = 860
	plotLeft   = 190
	plotRight  = 190
	barHeight  = 16
	barStep    = 26
	plotTop    = 96
	groupSpace = 40
)

// plotStyle has the colors on light and dark backgrounds.
const plotStyle = `<style>
.paper{fill:#fff}text{fill:#1b1f24}.dim{fill:#59636e}.spread{stroke:#1b1f24}
.baseline{stroke:#b42318;stroke-dasharray:5 4}.low{fill:#d9a49f}.other{fill:#a9b4c0}.ours{fill:#0b6bcb}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}text{fill:#e6edf3}.dim{fill:#9198a1}.spread{stroke:#e6edf3}
.baseline{stroke:#ff7b72}.low{fill:#8c4a45}.other{fill:#545d68}.ours{fill:#1f6feb}}
</style>
`

// plot writes a plot of the CPU time of a delivered tick at the lowest rate of paced: bars with the spread of their rounds,
// and the baseline of each lane as a line. Without such measurements it writes nothing.
func (r *Result) plot(name string) error {
	svg := r.svg()
	if svg == "" {
		return nil
	}
	return os.WriteFile(name, []byte(svg), 0o644)
}

func (r *Result) svg() string {
	rows, _ := split(r.rows("paced"))
	rate := math.Inf(1)
	for _, row := range rows {
		rate = min(rate, row.Rate)
	}
	groups := map[string][]*Row{}
	most, n := 0.0, 0
	for _, row := range rows {
		if row.Rate == rate {
			lane := specNamed(row.Shape).Lane
			groups[lane] = append(groups[lane], row)
			most, n = max(most, row.of((*Measurement).PerTick).Max), n+1
		}
	}
	if n == 0 || most == 0 {
		return ""
	}
	scale := (plotWidth - plotLeft - plotRight) / most
	height := plotTop + len(groups)*groupSpace + n*barStep + 30

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="CPU time of a delivered tick">`+"\n", plotWidth, height)
	b.WriteString(plotStyle)
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d"/>`+"\n", plotWidth, height)
	text(&b, 16, 28, "", 17, "Server CPU time per delivered tick, µs")
	text(&b, 16, 48, "dim", 13, fmt.Sprintf("%d subscribers, %g ticks/s, every tick checked. Bar: median of the rounds; line: smallest to largest.", rows[0].Subs, rate))
	text(&b, 16, 66, "dim", 13, "Dashed: the baseline, a C program that only writes. Ratios are medians of the ratios within each round.")
	text(&b, 16, 84, "dim", 13, fmt.Sprintf("%s, %d cores, kernel %s, clients on the same machine.", r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel))
	y := plotTop
	for _, lane := range []string{"sse", "ws"} {
		group := groups[lane]
		if len(group) == 0 {
			continue
		}
		y += groupSpace
		text(&b, 16, y-10, "", 14, map[string]string{"sse": "Server-Sent Events", "ws": "WebSocket"}[lane])
		slices.SortStableFunc(group, func(a, b *Row) int {
			return int(math.Copysign(1, a.of((*Measurement).PerTick).Median-b.of((*Measurement).PerTick).Median))
		})
		base := r.find("paced", "baseline-"+lane, "", rate, 0)
		top := y
		for _, row := range group {
			s := row.of((*Measurement).PerTick)
			class := "other"
			switch specNamed(row.Shape).Kind {
			case "ticklane":
				class = "ours"
			case "baseline":
				class = "low"
			}
			text(&b, 16, y+13, "", 13, row.Shape)
			fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", class, plotLeft, y, s.Median*scale, barHeight)
			fmt.Fprintf(&b, `<path class="spread" d="M%.1f %dH%.1f"/>`+"\n", plotLeft+s.Min*scale, y+barHeight/2, plotLeft+s.Max*scale)
			label := fmt.Sprintf("%.2f", s.Median)
			if ratio := row.ratios(base, (*Measurement).PerTick); ratio.N > 0 && row.Shape != base.Shape {
				label += fmt.Sprintf("  (%.2f × baseline)", ratio.Median)
			}
			if !row.complete() {
				label += " lost ticks"
			}
			text(&b, plotLeft+int(s.Max*scale)+8, y+13, "", 13, label)
			y += barStep
		}
		if base != nil {
			x := plotLeft + base.of((*Measurement).PerTick).Median*scale
			fmt.Fprintf(&b, `<path class="baseline" d="M%.1f %dV%d"/>`+"\n", x, top-6, y-4)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func text(b *strings.Builder, x, y int, class string, size int, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" class="%s" font-size="%d">%s</text>`+"\n", x, y, class, size, html.EscapeString(s))
}
