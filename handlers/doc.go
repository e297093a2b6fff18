// Package handlers is what listens on the network: routes, pages, both lanes, the API. It is the only room that
// imports Fiber. Handlers are thin: what a client gets is decided and rendered behind stream.Subscriber.
package handlers
