// Package wire defines the bytes of both lanes: JSON and protobuf encodings of ticks and messages, their framing as
// Server-Sent Events (WHATWG HTML, "Server-sent events") and WebSocket frames (RFC 6455 §5.2), and compression. It also
// parses what clients send, and has the parser of frame headers and the decoder of chunked bodies that clients use.
package wire
