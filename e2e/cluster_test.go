package e2e

import "testing"

// TestClusterPage shows the node of a server with NATS inside, and keeps its table and picture up to date.
func TestClusterPage(t *testing.T) {
	t.Parallel()
	s := serve(t, "--bus.kind", "nats", "--data.dir", t.TempDir(), "--bus.node", "alpha")
	b := openTab(t)
	b.visit(s.url + "/cluster")
	b.until("the node", `/^alpha/.test(document.querySelector('#nodes th')?.textContent) && document.querySelector('#nodes td').textContent === 'Writer'`)
	b.until("the summary", `/^1 node runs, 1 of them without a fault\. alpha runs the feed\./.test(document.querySelector('#summary').textContent) && document.querySelector('#troubles').hidden`)
	b.until("the picture", `/[ML]\d+.*L300/.test(document.querySelector('#picture .most')?.getAttribute('d')) && document.querySelector('#picture .writes') && document.querySelector('#changes td:nth-child(2)')?.textContent === 'alpha'`)
	const head = `Number(document.querySelector('#nodes td.num').textContent.replace(/\D/g, ''))`
	b.until("cells that stay", `(window.cell ??= document.querySelector('#nodes th')).isConnected && (window.rows ??= document.querySelector('#nodes td.num').textContent) !== document.querySelector('#nodes td.num').textContent`)
	b.until("newer ticks", `(window.first ??= `+head+`) < `+head)
	b.until("the link", `document.querySelector('.nav [aria-current]').textContent === 'Cluster'`)
	b.auditBothThemes()
	s.stop()
	b.until("the server is gone", `/^No new list since \d\d:\d\d:\d\d: the server can’t be reached\.$/.test(document.querySelector('#troubles').innerText)`)
}
