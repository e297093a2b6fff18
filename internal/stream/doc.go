// Package stream keeps one bounded log of ticks, renders each tick once for every format in use, and serves any number
// of subscribers. A subscriber is a cursor in that log; there is no queue per subscriber. A slow client costs its lag,
// which is a number. Resuming, changing lanes and reading slowly are therefore one mechanism.
//
// Concurrency: one goroutine appends and then signals the groups of subscribers. Readers see what the log's head, an
// atomic, has published; everything up to the head is immutable, so reading takes no lock.
//
// Compression: subscribers of the same text share one encoder, see sharedEncoder and docs/adr/0010-compress-once.md.
package stream
