// Package storm has clients for reconnect storms: thousands that connect, are cut and reconnect at once, in one epoll loop.
// Each client checks whether it has whole state: every symbol known, then every tick once and in order.
//
// The clients are cheap, so that the server is what is measured. What is equal for many clients is parsed and decompressed
// once: snapshots by the hash of their text, compressed blocks by their bytes and the text before them. Unlike the load
// tester's client, a client of this package therefore has no decompressor. Linux only.
package storm
