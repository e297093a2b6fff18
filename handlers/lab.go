package handlers

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Drills: what an experiment may do to a stream.
const (
	drillCut    = "cut"    // RST, now
	drillEnd    = "end"    // the stream ends cleanly, but without a bye
	drillStall  = "stall"  // nothing is written for stallFor
	drill503    = "503"    // cut, and the next request of this user on this lane gets that status
	drill204    = "204"    // the same
	drillBuffer = "buffer" // for bufferFor, bytes are held back as a buffering proxy does
	drillSlow   = "slow"   // for slowFor, slowRate leaves: what a slow reader looks like from here
	drillEpoch  = "epoch"  // cut, and the next request's position counts as one of another epoch
)

var drills = []string{drillCut, drillEnd, drillStall, drill503, drill204, drillBuffer, drillSlow, drillEpoch}

// Lab is what experiments change besides streams. Its funcs may be nil where the feed or the system can't.
type Lab struct {
	Rate    func() float64
	SetRate func(ticksPerSecond float64) error // changes everybody's feed
	// Background runs so many extra clients on each lane, in a process of their own, instead of those before.
	Background func(sse, ws int) error
	Clients    func() (sse, ws int) // how many of them run now
}

// lab is opened by lab.enabled. It knows each live stream's rig, and what waits for a stream's next request.
type lab struct {
	Lab
	mu      sync.Mutex
	rigs    map[string]*rig // by secret conn id
	waiting map[seat]order  // drill503, drill204 or drillEpoch
}

// seat names whoever comes back: a page gives its streams a user of their own, and it comes from the same address.
type seat struct {
	user, address string
	lane          wire.Lane
}

// order is what waits for a seat's next request, for a while.
type order struct {
	drill string
	until time.Time
}

const (
	orderFor  = 30 * time.Second // longer than any connector waits
	maxOrders = 1000
)

// shared are users that many clients have, so that their next request may be anybody's.
var shared = []string{"anonymous", "dashboard", "background"}

func newLab(l Lab) *lab {
	return &lab{Lab: l, rigs: make(map[string]*rig), waiting: make(map[seat]order)}
}

// take returns what waits for this request, once. A nil lab has nothing.
func (l *lab) take(s seat) string {
	if l == nil {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.waiting[s]
	delete(l.waiting, s)
	if time.Now().After(o.until) {
		return ""
	}
	return o.drill
}

// leave notes what waits for a seat. False when too many wait.
func (l *lab) leave(s seat, drill string) bool {
	now := time.Now()
	for k, o := range l.waiting {
		if now.After(o.until) {
			delete(l.waiting, k)
		}
	}
	if len(l.waiting) >= maxOrders {
		return false
	}
	l.waiting[s] = order{drill, now.Add(orderFor)}
	return true
}

// rig returns the writer that carries out drills on a stream, and what to call when it is over. Without a lab it is
// the writer itself.
func (l *lab) rig(sub *stream.Subscriber, conn *netconn.Conn, w stream.Writer, delay time.Duration) (stream.Writer, func()) {
	if l == nil {
		return w, func() {}
	}
	r := &rig{out: w, sub: sub, delay: delay, over: make(chan struct{}), reset: conn.Reset}
	return r, l.enter(r)
}

// enter makes a rig known, and returns what to call when its stream is over.
func (l *lab) enter(r *rig) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn := r.sub.Conn()
	l.rigs[conn] = r
	return func() {
		l.mu.Lock()
		delete(l.rigs, conn)
		l.mu.Unlock()
	}
}

// run carries out a drill on the streams with these conn ids, or on none of them. The error is a problem.
func (l *lab) run(action string, conns []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	returns := action == drill503 || action == drill204 || action == drillEpoch
	for _, conn := range conns {
		r := l.rigs[conn]
		if r == nil {
			return problemOf(http.StatusNotFound, "conns: no live stream has the id "+quoted(conn)+".")
		}
		if user := r.sub.Info().User; returns && slices.Contains(shared, user) {
			return badParameters([]wrong{{"conns", "the user " + quoted(user) + " is shared, so this drill could hit somebody else; give the stream a user= of its own"}})
		}
	}
	for _, conn := range conns {
		r := l.rigs[conn]
		info := r.sub.Info()
		if returns && !l.leave(seat{info.User, info.Address, r.sub.Lane()}, action) {
			return problemOf(http.StatusTooManyRequests, "Too many drills wait for their streams to come back.")
		}
		r.drill(action)
	}
	return nil
}

const (
	stallFor  = 5 * time.Second
	bufferFor = 5 * time.Second
	slowFor   = 10 * time.Second
	// bufferSize is what a proxy gathers before it passes anything on; nginx has 8 buffers of 8 KiB.
	bufferSize = 64 << 10
	slowRate   = 4 << 10 // bytes/s
	slowPause  = 250 * time.Millisecond
)

// rig stands between a stream and its lane's writer. Write and Flush are the stream's goroutine's, on engine shard Idle and
// Release its writer's; drill is anybody's.
type rig struct {
	out   stream.Writer
	sub   *stream.Subscriber
	reset func()        // ends the connection with RST
	delay time.Duration // before each flush: planted, to check that a difference is found
	held  []byte
	// passed: bytes went straight to out and wait for its flush.
	passed bool

	stall, buffer, slow atomic.Int64 // until when, in ns since 1970
	delayed, piece      int64        // engine shard: until when what is held, or the next piece of it, must wait
	over                chan struct{}
	once                sync.Once
}

func (r *rig) drill(action string) {
	until := func(d time.Duration) int64 { return time.Now().Add(d).UnixNano() }
	switch action {
	case drillStall:
		r.stall.Store(until(stallFor))
	case drillBuffer:
		r.buffer.Store(until(bufferFor))
	case drillSlow:
		r.slow.Store(until(slowFor))
	case drillEnd:
		r.sub.Stop()
	default:
		r.once.Do(func() { close(r.over) })
		r.reset()
	}
}

// idle tells that nothing is asked of the rig: it must then cost nothing, since measurements run with the lab open.
func (r *rig) idle() bool {
	now := time.Now().UnixNano()
	return r.delay == 0 && len(r.held) == 0 && now >= r.stall.Load() && now >= r.buffer.Load() && now >= r.slow.Load()
}

// Write holds the bytes until the flush while a drill runs, and passes them on otherwise.
func (r *rig) Write(p []byte) (int, error) {
	if r.idle() {
		r.passed = true
		return r.out.Write(p)
	}
	if r.passed { // what went before must stay before
		r.passed = false
		if err := r.out.Flush(); err != nil {
			return 0, err
		}
	}
	r.held = append(r.held, p...)
	return len(p), nil
}

// Flush sends what is held, as the drill lets it.
func (r *rig) Flush() error {
	if r.passed {
		r.passed = false
		if err := r.out.Flush(); err != nil || len(r.held) == 0 {
			return err
		}
	}
	if len(r.held) == 0 {
		return nil
	}
	if r.delay > 0 {
		r.wait(time.Now().Add(r.delay).UnixNano())
	}
	r.wait(r.stall.Load())
	if time.Now().UnixNano() < r.buffer.Load() && len(r.held) < bufferSize && !r.sub.Ended() {
		return nil
	}
	for piece := range slices.Chunk(r.held, slowRate/4) {
		if time.Now().UnixNano() < r.slow.Load() {
			r.wait(time.Now().Add(slowPause).UnixNano())
		} else {
			piece = r.held // all that is left
		}
		r.held = r.held[len(piece):]
		if err := r.send(piece); err != nil {
			return err
		}
		if len(r.held) == 0 {
			break
		}
	}
	return nil
}

func (r *rig) send(p []byte) error {
	if _, err := r.out.Write(p); err != nil {
		return err
	}
	return r.out.Flush()
}

// wait returns at a time in ns since 1970, or when the stream is cut.
func (r *rig) wait(until int64) {
	d := time.Until(time.Unix(0, until))
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.over:
	}
}

// drilled carries out what a drill left for this request; done when that was the whole answer.
func (s *Server) drilled(c *fiber.Ctx, opt *subscription) (done bool, err error) {
	switch s.lab.take(seat{opt.User, s.address(c), opt.Format.Lane()}) {
	case drill503:
		return true, problemOf(http.StatusServiceUnavailable, "A drill asked for this answer.")
	case drill204:
		noStore(c)
		return true, c.SendStatus(http.StatusNoContent)
	case drillEpoch:
		opt.From = stream.FromUnknown
	}
	return false, nil
}

// drill is POST /api/lab/drill.
func (s *Server) drill(c *fiber.Ctx) error {
	var in struct {
		Action string   `json:"action"`
		Conns  []string `json:"conns"`
	}
	if err := s.labBody(c, &in); err != nil {
		return err
	}
	if !slices.Contains(drills, in.Action) {
		return badParameters([]wrong{{"action", quoted(in.Action) + ": want cut, end, stall, 503, 204, buffer, slow or epoch"}})
	}
	if len(in.Conns) == 0 {
		return badParameters([]wrong{{"conns", "missing; want the conn ids of your own streams' hellos"}})
	}
	if err := s.lab.run(in.Action, in.Conns); err != nil {
		return err
	}
	noStore(c)
	return c.JSON(fiber.Map{"action": in.Action, "conns": len(in.Conns)})
}

// labState is GET /api/lab: what can be changed, and how it stands.
func (s *Server) labState(c *fiber.Ctx) error {
	noStore(c)
	state := fiber.Map{"engines": fiber.Map{"sse": s.engines(wire.SSE), "ws": s.engines(wire.WS)}, "drills": drills}
	if can := s.compressions(); can != nil {
		state["compress"] = can
	}
	if s.lab.Rate != nil {
		state["rate"] = s.lab.Rate()
	}
	if s.lab.Clients != nil {
		sse, ws := s.lab.Clients()
		state["background"] = fiber.Map{"sse": sse, "ws": ws}
	}
	return c.JSON(state)
}

// labRate is POST /api/lab/rate.
func (s *Server) labRate(c *fiber.Ctx) error {
	var in struct {
		Rate float64 `json:"rate"`
	}
	if err := s.labBody(c, &in); err != nil {
		return err
	}
	if s.lab.SetRate == nil {
		return problemOf(http.StatusConflict, "rate: a replay keeps the pace of its file.")
	}
	if err := s.lab.SetRate(in.Rate); err != nil {
		return badParameters([]wrong{{"rate", err.Error()}})
	}
	noStore(c)
	return c.JSON(fiber.Map{"rate": in.Rate})
}

// maxBackground bounds extra clients of a lane.
const maxBackground = 2000

// labBackground is POST /api/lab/background.
func (s *Server) labBackground(c *fiber.Ctx) error {
	var in struct {
		SSE int `json:"sse"`
		WS  int `json:"ws"`
	}
	if err := s.labBody(c, &in); err != nil {
		return err
	}
	var bad []wrong
	for name, n := range map[string]int{"sse": in.SSE, "ws": in.WS} {
		if n < 0 || n > maxBackground {
			bad = append(bad, wrong{name, "want 0 to 2000 clients"})
		}
	}
	if len(bad) > 0 {
		return badParameters(bad)
	}
	if s.lab.Background == nil {
		return problemOf(http.StatusConflict, "This server can't start clients of its own.")
	}
	if err := s.lab.Background(in.SSE, in.WS); err != nil {
		return err
	}
	noStore(c)
	return c.JSON(in)
}

// labBody reads a command to the lab, from our own pages and from programs.
func (s *Server) labBody(c *fiber.Ctx, into any) error {
	body, err := s.jsonBody(c)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return problemOf(http.StatusBadRequest, "body: not the JSON object that is wanted: "+err.Error())
	}
	return nil
}
