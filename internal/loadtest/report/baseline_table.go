package report

import (
	"strings"
	"unicode/utf8"
)

// baselineTable has a row for each figure and a column for each variant.
func (r *Report) baselineTable(b *strings.Builder) {
	if r.Baseline == nil {
		return
	}
	width := 74 / len(r.Variants)
	widths, heads := []int{tableWidth - len(r.Variants)*width}, []string{"before → now"}
	for _, v := range r.Variants {
		widths, heads = append(widths, width), append(heads, v.Variant+" "+v.Name)
	}
	widths = append(widths, 0)
	b.WriteString("\n")
	for _, line := range wrap(r.Baseline.Title(), tableWidth) {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n" + headRows(widths, heads) + rule + "\n")
	for _, x := range r.baselineRows() {
		cells := []string{x.label}
		for _, c := range x.changes {
			cells = append(cells, fitChange(c, width-2))
		}
		b.WriteString(row(widths, cells) + "\n")
	}
	b.WriteString(rule + "\n* a difference: its interval excludes zero, and it is larger than the noise of both reports\n")
}

// baselineRow is the change of one figure in each variant, nil where there is none.
type baselineRow struct {
	label   string
	changes []*Change
}

func (r *Report) baselineRows() []baselineRow {
	var rows []baselineRow
	for _, f := range figures(r.Kind) {
		row := baselineRow{label: Metric{Name: f.name, Unit: f.unit}.label(), changes: make([]*Change, len(r.Variants))}
		found := false
		for _, x := range r.Baseline.Variants {
			for k := range x.Figures {
				if x.Figures[k].Figure == f.key {
					row.changes[index(x.Variant)], found = &x.Figures[k], true
				}
			}
		}
		if found {
			rows = append(rows, row)
		}
	}
	return rows
}

// fitChange returns text such as "10.1 → 12.3  +21.8 % *", or only the end of it if that is wider than width.
func fitChange(c *Change, width int) string {
	if c == nil {
		return "–"
	}
	mark := "  "
	if c.differs() {
		mark = " *"
	}
	share := c.showShare()
	if long := strings.TrimRight(c.show()+"  "+share, " ") + mark; utf8.RuneCountInString(long) <= width || share == "" {
		return long
	}
	if short := share + mark; utf8.RuneCountInString(short) <= width {
		return short
	}
	return strings.ReplaceAll(share, " ", "") + strings.TrimSpace(mark)
}
