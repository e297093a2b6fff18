// Package wire tells how ticks and messages look on each lane: the JSON text that both share and its protobuf twin, the event of
// Server-Sent Events around it (WHATWG HTML, "Server-sent events") and the WebSocket frame (RFC 6455 §5.2).
// Every byte that a client sees is made here, and what a client may send is parsed here.
package wire
