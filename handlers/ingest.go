package handlers

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
	"ticklane/internal/wire"
)

// maxIngest bounds the open request bodies and WebSockets of feeds.
const maxIngest = 64

// ingestAPI serves the endpoints by which clients send a feed.
type ingestAPI struct {
	source  *ingest.Source // nil for another feed
	relay   IngestRelay    // nil if this server publishes
	token   string         // feed.ingest.token; empty for none
	streams *streams       // for handshakes
	access  *access
	set     Settings

	ctx  context.Context // done when the server shuts down
	stop context.CancelFunc

	mu     sync.Mutex // guards conns and closed
	conns  map[net.Conn]struct{}
	closed bool
	done   sync.WaitGroup // of conns
}

// IngestInput takes the lines of a client's connection: see ingest.Input, which implements it.
type IngestInput interface {
	Write(ctx context.Context, b []byte) error
	Add(ctx context.Context, b []byte, received time.Time) error
	Message(ctx context.Context, b []byte, received time.Time) error
	Flush(ctx context.Context) error
	End(ctx context.Context) error
	Take() ingest.Result
	Close()
}

// IngestRelay takes lines to the server that publishes them, which may change. The errors are those of ingest: ErrStopped if the client
// must send again what isn't in the result.
type IngestRelay interface {
	// Open returns an input for a client. Its errors have ErrForeignSource, too.
	Open(name string, client *auth.Principal) IngestInput
	// Progress returns the progress of a sequence.
	Progress(ctx context.Context, name string, client *auth.Principal) (ingest.Result, error)
}

func newIngestAPI(d *Deps, set Settings, s *streams) *ingestAPI {
	h := &ingestAPI{source: d.Ingest, relay: d.Relay, token: set.IngestToken, streams: s, access: s.access, set: set, conns: make(map[net.Conn]struct{})}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// authorize returns the problem of a client that may not send a feed, and of a server with another feed.
func (h *ingestAPI) authorize(c *fiber.Ctx) error {
	switch {
	case h.source == nil:
		return problemOf(http.StatusConflict, "This server has another feed: set feed.source to ingest.")
	case !h.access.sameOrigin(c):
		return h.access.foreignOrigin(c)
	case principalOf(c) != auth.Unrestricted: // it has the right, see need
		return nil
	case h.token == "":
		if !h.local(c) {
			return problemOf(http.StatusForbidden, "Without feed.ingest.token, only clients on this machine may send a feed, and not through a proxy.")
		}
	case !sameToken(c.Get(fiber.HeaderAuthorization), h.token):
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="ticklane feed"`)
		return problemOf(http.StatusUnauthorized, "Authorization: want Bearer and the value of feed.ingest.token.")
	}
	return nil
}

// local reports whether a request comes from this machine. One with the header of a proxy may come from elsewhere.
func (h *ingestAPI) local(c *fiber.Ctx) bool {
	for _, name := range []string{fiber.HeaderXForwardedFor, "Forwarded", "X-Real-Ip"} {
		if len(c.Request().Header.Peek(name)) > 0 {
			return false
		}
	}
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	return ok && peer.Unmap().IsLoopback()
}

// sameToken reports whether an Authorization header has a token, in a time that doesn't depend on either.
func sameToken(header, token string) bool {
	scheme, value, _ := strings.Cut(header, " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(value))), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && strings.EqualFold(scheme, "bearer")
}

// open returns an input for a client. The error is ingest.ErrForeignSource.
func (h *ingestAPI) open(name string, p *auth.Principal) (IngestInput, error) {
	if h.relay != nil {
		return h.relay.Open(name, p), nil
	}
	x, err := h.source.Open(name, clientOf(p))
	if err != nil {
		return nil, err
	}
	return x, nil
}

// clientOf returns a principal as the client of a feed.
func clientOf(p *auth.Principal) ingest.Client {
	if p == auth.Unrestricted {
		return ingest.Client{}
	}
	return ingest.Client{Subject: p.Subject, MayWrite: p.Rights.CanWrite}
}

// sourceOf reads the name of a client's sequence, and checks its owner. The error is a problem.
func (h *ingestAPI) sourceOf(c *fiber.Ctx, q *query, check func(name, subject string) error) (string, error) {
	name := q.sourceName()
	if err := q.err(); err != nil {
		return "", err
	}
	if check(name, principalOf(c).Subject) != nil {
		return "", foreignSource(c)
	}
	return name, nil
}

func foreignSource(c *fiber.Ctx) *problem {
	return forbidden(c, codeForbidden, "source: "+ingest.ErrForeignSource.Error()+".")
}

const maxSourceName = 64

// sourceName reads the name of a client's sequence, which may be missing.
func (q *query) sourceName() string {
	v, ok := q.get("source")
	if ok && (v == "" || len(v) > maxSourceName || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' })) {
		q.fail("source", "%s: want 1 to %d printable ASCII characters without spaces", quoted(v), maxSourceName)
	}
	return v
}

// progress is GET /api/ingest?source=: where a client's sequence is.
func (h *ingestAPI) progress(c *fiber.Ctx) error {
	if err := h.authorize(c); err != nil {
		return err
	}
	q := queryOf(c)
	if !q.args.Has("source") {
		q.fail("source", "missing; want the name of the client's sequence")
	}
	name, err := h.sourceOf(c, q, h.source.CheckOwner)
	if err != nil {
		return err
	}
	p, err := h.progressOf(name, principalOf(c))
	switch {
	case errors.Is(err, ingest.ErrForeignSource):
		return foreignSource(c)
	case err != nil:
		c.Set(fiber.HeaderRetryAfter, "1")
		return problemOf(http.StatusServiceUnavailable, h.reason(err))
	}
	noStore(c)
	return c.JSON(fiber.Map{"source": name, "last": p.Last, "holes": p.Holes, "more_holes": p.MoreHoles, "epoch": wire.Epoch(h.streams.views.live.log.Head().Epoch)})
}

func (h *ingestAPI) progressOf(name string, p *auth.Principal) (ingest.Result, error) {
	if h.relay != nil {
		return h.relay.Progress(h.ctx, name, p)
	}
	return h.source.Progress(h.ctx, name)
}

// reason describes an error of an input, after which the client must send again.
func (h *ingestAPI) reason(err error) string {
	switch {
	case errors.Is(err, errUnauthorized):
		return "The credential is no longer valid."
	case errors.Is(err, wire.ErrChunk):
		return "The chunked coding of the body is invalid."
	case h.ctx.Err() != nil:
		return "The server is shutting down."
	}
	return "No server runs the feed at the moment, or it has changed: send the lines that are not counted again."
}

// add registers a connection, which the caller must remove. refused is the problem if there are too many, or the server shuts down.
func (h *ingestAPI) add(nc net.Conn) (refused *problem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return problemOf(http.StatusServiceUnavailable, "The server is shutting down.")
	case len(h.conns) >= maxIngest:
		return problemOf(http.StatusServiceUnavailable, "Too many clients send a feed at the same time.")
	}
	h.conns[nc] = struct{}{}
	h.done.Add(1)
	return nil
}

func (h *ingestAPI) remove(nc net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, nc)
	h.done.Done()
}

// interrupt ends reading from a connection that was detached if the server is shutting down: detaching has removed its deadline.
func (h *ingestAPI) interrupt(nc net.Conn) {
	if h.ctx.Err() != nil {
		nc.SetReadDeadline(time.Now())
	}
}

// close ends all connections that send a feed, each with its answer, and waits for that or for ctx.
func (h *ingestAPI) close(ctx context.Context) {
	h.stop() // before the deadlines: see interrupt
	h.mu.Lock()
	h.closed = true
	for nc := range h.conns {
		nc.SetReadDeadline(time.Now())
	}
	h.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		h.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done(): // the connections are closed next
	}
}
