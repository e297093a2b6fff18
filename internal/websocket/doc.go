// Package websocket implements the parts of a WebSocket server (RFC 6455) that need no connection: the checks of an opening
// handshake, the negotiation of permessage-deflate (RFC 7692), and the reading of a client's messages. Frames to the client
// are built by package wire.
package websocket
