package e2e

import "testing"

// TestCompareSides compares SSE on one engine with protobuf over WebSocket on another: both are measured, the sentence and
// the figures name them by what differs, and binary is claimed from what came.
func TestCompareSides(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "200")
	b := openTab(t)
	b.visit(s.url + "/compare?engine=stream,body&sides=sse,sse")
	b.until("two engines of one lane are named", `/SSE stream/.test(document.querySelector('#figures').textContent) && /SSE body/.test(document.querySelector('#figures').textContent)`)

	b.visit(s.url + "/compare?engine=stream,shard&encoding=json,protobuf")
	b.until("both sides are named by what differs", `/SSE stream/.test(document.querySelector('#figures').textContent) && /WebSocket shard protobuf/.test(document.querySelector('#figures').textContent)`)
	b.until("the form shows the setup", `document.querySelector('#c-engine-b').value === 'shard' && document.querySelector('#c-encoding-b').value === 'protobuf' &&
		document.querySelector('#c-encoding-a').disabled`)
	b.until("the sentence tells the bytes", `/SSE stream costs .* more bytes/.test(document.querySelector('#sentence').textContent)`)
	b.until("binary is claimed from what came", `/binary here: .* messages of protobuf/.test(document.querySelector('#claims').textContent)`)
	b.until("the lanes' latencies are not", `/take the same engine on both lanes/.test(document.querySelector('#claims').textContent)`)
}
