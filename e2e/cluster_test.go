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

// TestClusterPageErrors: what fails on a node is in a row below that node, whichever it is.
func TestClusterPageErrors(t *testing.T) {
	t.Parallel()
	s := serve(t, "--bus.kind", "nats", "--data.dir", t.TempDir())
	b := openTab(t)
	b.visit(s.url + "/cluster")
	b.until("the node", `document.querySelectorAll('#nodes tr').length === 1`)
	b.until("answers about two nodes", `(() => {
		const real = window.fetch;
		window.failing = 'a';
		window.fetch = async (...args) => {
			const answer = await real(...args);
			if (!String(args[0]).includes('/api/cluster')) return answer;
			const view = await answer.json();
			view.nodes = ['a', 'b'].map((name) => ({ ...view.nodes[0], name, error: name === window.failing ? 'no disk' : '' }));
			return new Response(JSON.stringify(view), { headers: { 'Content-Type': 'application/json' } });
		};
		return true;
	})()`)
	const rows = `[...document.querySelectorAll('#nodes tr')].map((row) => row.children.length + row.lastElementChild.textContent.replace(/^\d.*/, '')).join()`
	b.until("the first fails", rows+` === '14,1a: no disk,14'`)
	b.until("the second fails instead", `(window.failing = 'b') && `+rows+` === '14,14,1b: no disk'`)
	b.until("none fails", `(window.failing = '', true) && `+rows+` === '14,14'`)
}
