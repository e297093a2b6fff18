// Package client is one connection to a Ticklane server, as the load tester and the benchmarks use it: it dials, asks for
// a stream, decodes what arrives and checks that every tick arrives once and in order.
//
// Conn is the whole client. Decoder is its decoding alone, for programs that read sockets themselves. Both decode with
// code of this package and never with the server's encoders, so that a mistake of the server cannot hide in both.
package client
