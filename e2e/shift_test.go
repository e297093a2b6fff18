package e2e

import "testing"

// TestLayoutShift loads the other pages on a phone, at 200 % zoom and on a desktop: what is in sight doesn't move while they
// load. TestFirstPaintBudget checks the dashboard.
func TestLayoutShift(t *testing.T) {
	t.Parallel()
	lab, plain := serve(t, "--lab.enabled=true", "--market.rate", "200"), serve(t, "--market.rate", "50")
	b := openTab(t)
	b.inject(layoutObserver)
	b.inject(slowFetch)
	for _, size := range [][2]int64{{390, 844}, {720, 450}, {1440, 900}} {
		b.size(size[0], size[1])
		for _, url := range []string{lab.url + "/compare", plain.url + "/compare", lab.url + "/reports", lab.url + "/docs"} {
			b.visit(url)
			switch url {
			case lab.url + "/compare":
				b.until("pairs, and evaluated claims", `/[1-9][\d\s]* pairs/.test(document.querySelector('#running').textContent) && document.querySelector('#claims .tag')`)
			case plain.url + "/compare":
				b.until("figures", `/\d\s?ms/.test(document.querySelector('#figures td').textContent)`)
			}
			if shift := eval[float64](b, "self.shifts.reduce((a, x) => a + x, 0)"); shift >= shiftBudget {
				t.Errorf("%s at %d × %d: layout shift %.3f, want less than %v: %q", url, size[0], size[1], shift, shiftBudget, eval[[]string](b, "self.moved"))
			}
		}
	}
}
