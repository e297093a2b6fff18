// Package netconn provides what an HTTP server with long streams needs of its connections: a listener that bounds
// their number, a deadline for each write, byte counts, and a state that determines which goroutine may use a connection.
package netconn
