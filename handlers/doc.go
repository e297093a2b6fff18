// Package handlers serves HTTP: routes, pages, both lanes and the API. Only this package imports Fiber. Handlers are thin:
// stream.Subscriber decides what a client gets, and renders it.
package handlers
