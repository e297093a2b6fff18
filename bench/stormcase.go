package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ticklane/bench/recipes"
	"ticklane/bench/storm"
	"ticklane/internal/wire"
)

const (
	bystanders  = 20
	clientsNice = 5 // remote clients wouldn't take the server's cores
	afterStorm  = 2 * time.Second
)

// stormPlan is one server and how its clients connect.
type stormPlan struct {
	name, engine, path, compress string
	lanes                        []string
	symbols                      int
}

func (p stormPlan) String() string {
	name := p.name
	if p.engine != "" {
		name += " " + p.engine
	}
	return fmt.Sprintf("%s %s %s", name, strings.Join(p.lanes, "+"), p.compress)
}

// StormCase is the result of one case.
type StormCase struct {
	Server     string         `json:"server"`
	Engine     string         `json:"engine,omitempty"`
	Lanes      []string       `json:"lanes"`
	Compress   string         `json:"compress"`
	Symbols    int            `json:"symbols"`
	Case       string         `json:"case"`
	Clients    int            `json:"clients"`
	Whole      int            `json:"whole"`
	Until50    float64        `json:"until_50_ms,omitempty"` // 0: fewer had whole state when the case ended
	Until99    float64        `json:"until_99_ms,omitempty"`
	Until100   float64        `json:"until_100_ms,omitempty"`
	Away       float64        `json:"server_away_ms,omitempty"` // kill and drain: until the next server accepts connections
	Counts     storm.Counts   `json:"counts"`
	Losses     storm.Losses   `json:"losses"`
	Reasons    map[string]int `json:"malformed,omitempty"`
	Bystanders *storm.Outcome `json:"bystanders,omitempty"`
	Before     int64          `json:"rss_before"`
	Peak       int64          `json:"rss_peak"`
	Later      int64          `json:"rss_later,omitempty"` // without the clients, after Settle
	User       time.Duration  `json:"cpu_user_ns"`
	System     time.Duration  `json:"cpu_system_ns"`
	AfterCPU   time.Duration  `json:"cpu_after_ns"` // in the 2 s after the storm
	ClientsCPU time.Duration  `json:"clients_cpu_ns"`
	Overflows  int64          `json:"listen_overflows"`
	Drops      int64          `json:"receive_drops"` // segments that the kernel dropped for want of memory: the machine's limit
}

// PerClient returns a CPU time for each client that reached whole state, in ms.
func (c *StormCase) PerClient(d time.Duration) float64 {
	return d.Seconds() * 1e3 / float64(max(1, c.Whole))
}

// stormRun measures the cases of one server.
type stormRun struct {
	ctx      context.Context
	launcher *Launcher
	config   StormConfig
	plan     stormPlan
	files    int
	out      io.Writer
	started  time.Time
	cases    []*StormCase

	server   *Server
	startCPU [2]time.Duration // user and system time that a server takes to start
	crowd    []*storm.Fleet   // one for each lane
	watchers []*storm.Fleet
	baseline int64 // RSS with the bystanders alone
}

func (s *stormRun) argv(port int) []string {
	rate := strconv.FormatFloat(s.config.Rate, 'f', -1, 64)
	if s.plan.name != "ticklane" {
		return []string{s.launcher.self, "serve", "-addr", fmt.Sprintf("127.0.0.1:%d", port), "-rate", rate, "-symbols", strconv.Itoa(s.plan.symbols), s.plan.name}
	}
	return append([]string{s.launcher.Ticklane, "serve", fmt.Sprintf("--server.addr=127.0.0.1:%d", port), "--market.rate=" + rate, "--market.arrivals=steady",
		"--market.warmup=0s", "--log.level=error", "--stream.engine=" + s.plan.engine, "--market.symbols=" + strconv.Itoa(s.plan.symbols)}, s.config.Flags...)
}

// run starts a server and measures its cases.
func (s *stormRun) run() error {
	port, err := freePort()
	if err != nil {
		return err
	}
	if s.server, err = s.launcher.run(s.ctx, s.argv(port), port); err != nil {
		return err
	}
	defer func() { s.server.stop() }()
	pause(s.ctx, time.Second)
	s.startCPU[0], s.startCPU[1] = userSystem(s.server.pid())
	market, err := s.market(port)
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range append(s.crowd, s.watchers...) {
			f.Close()
		}
	}()
	for _, lane := range s.plan.lanes {
		t := storm.Target{Port: port, Path: s.plan.path, Resume: true, Compress: s.plan.compress != "none"}
		if lane == "ws" {
			t.Lane = wire.WS
		}
		if s.plan.name == "ticklane" {
			t.Path = "/" + lane + "/subscribe?topics=*"
		}
		crowd, err := storm.New(storm.Settings{Clients: s.config.Clients, Target: t, Market: market, Files: s.files, Nice: clientsNice})
		if err != nil {
			return err
		}
		s.crowd = append(s.crowd, crowd)
		watchers, err := storm.New(storm.Settings{Clients: bystanders / len(s.plan.lanes), Target: t, Market: market, Files: s.files, Latency: true})
		if err != nil {
			return err
		}
		s.watchers = append(s.watchers, watchers)
	}
	for _, f := range s.watchers {
		f.Begin()
		f.Connect()
	}
	s.await("bystanders", s.watchers)
	pause(s.ctx, time.Second)
	s.baseline, _ = rss(s.server.pid())
	for _, name := range s.config.Cases {
		if s.plan.name != "ticklane" && name != "connect" && name != "cut" {
			continue
		}
		if err := s.measure(name); err != nil {
			return err
		}
		if s.ctx.Err() != nil {
			return errInterrupted
		}
	}
	return s.settle()
}

// market returns the symbols of the server.
func (s *stormRun) market(port int) (storm.Market, error) {
	if s.plan.name != "ticklane" {
		return storm.NewMarket(recipes.Symbols(s.plan.symbols)), nil
	}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/api/symbols", port))
	if err != nil {
		return storm.Market{}, err
	}
	defer res.Body.Close()
	var list struct{ Symbols []struct{ Symbol string } }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		return storm.Market{}, fmt.Errorf("/api/symbols: %w", err)
	}
	var names []string
	for _, x := range list.Symbols {
		names = append(names, x.Symbol)
	}
	return storm.NewMarket(names), nil
}

// settle reads the memory without clients, some time after the storm.
func (s *stormRun) settle() error {
	if len(s.cases) == 0 {
		return nil
	}
	for _, f := range s.crowd {
		f.Leave()
	}
	pause(s.ctx, s.config.Settle)
	last := s.cases[len(s.cases)-1]
	last.Later, _ = rss(s.server.pid())
	if s.ctx.Err() != nil {
		return errInterrupted
	}
	return nil
}

// await waits until all clients of the fleets have whole state, at most the time of a case.
func (s *stormRun) await(what string, fleets []*storm.Fleet) {
	s.awaitShare(what, fleets, 1)
}

// awaitShare waits until a share of the clients of each fleet has whole state. It reports its progress each 5 s.
func (s *stormRun) awaitShare(what string, fleets []*storm.Fleet, share float64) {
	end, next := time.Now().Add(s.config.Timeout), time.Now().Add(5*time.Second)
	for time.Now().Before(end) && s.ctx.Err() == nil {
		whole, all, done := 0, 0, true
		for _, f := range fleets {
			n := f.Whole()
			whole, all = whole+n, all+f.Clients()
			done = done && float64(n) >= share*float64(f.Clients())
		}
		if done {
			return
		}
		if time.Now().After(next) {
			fmt.Fprintf(s.out, "%5.0f s  %s, %s: %d of %d clients have whole state\n", time.Since(s.started).Seconds(), s.plan, what, whole, all)
			next = next.Add(5 * time.Second)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// connectAll lets the clients that are away connect, unmeasured.
func (s *stormRun) connectAll() {
	missing := false
	for _, f := range s.crowd {
		missing = missing || f.Whole() < f.Clients()
	}
	if missing {
		for _, f := range s.crowd {
			f.Begin()
			f.Leave()
			f.Connect()
		}
		s.await("connecting again", s.crowd)
		pause(s.ctx, time.Second)
	}
}

// measure measures one case.
func (s *stormRun) measure(name string) error {
	m := &StormCase{Server: s.plan.name, Engine: s.plan.engine, Lanes: s.plan.lanes, Compress: s.plan.compress, Symbols: s.plan.symbols, Case: name}
	if name == "connect" || name == "midway" {
		for _, f := range s.crowd {
			f.Leave()
		}
		pause(s.ctx, time.Second)
	} else {
		s.connectAll()
	}
	m.Before, _ = rss(s.server.pid())
	resetPeak(s.server.pid())
	overflows, drops := netstat(listenOverflows), netstat(receiveDrops)
	self, err := cpu(os.Getpid())
	if err != nil {
		return err
	}
	user, system := userSystem(s.server.pid())
	for _, f := range append(s.watchers[:len(s.watchers):len(s.watchers)], s.crowd...) {
		f.Begin()
	}
	begun := time.Now()
	switch name {
	case "connect":
		s.each((*storm.Fleet).Connect)
	case "midway":
		s.each((*storm.Fleet).Connect)
		s.awaitShare(name, s.crowd, .3)
		s.each((*storm.Fleet).Cut)
	case "cut":
		s.each((*storm.Fleet).Cut)
	case "kill", "drain":
		if err := s.restart(name == "drain"); err != nil {
			return err
		}
		m.Before = s.baseline // of the first server; the next one is at rest at no time
		m.Away = time.Since(begun).Seconds() * 1e3
		user, system = s.startCPU[0], s.startCPU[1]
	}
	s.await(name, s.crowd)
	user1, system1 := userSystem(s.server.pid())
	m.User, m.System = max(0, user1-user), max(0, system1-system)
	self1, err := cpu(os.Getpid())
	if err != nil {
		return err
	}
	m.ClientsCPU, m.Overflows, m.Drops = self1-self, netstat(listenOverflows)-overflows, netstat(receiveDrops)-drops
	pause(s.ctx, afterStorm) // ticks go on without holes
	user2, system2 := userSystem(s.server.pid())
	m.AfterCPU = user2 + system2 - user1 - system1
	_, m.Peak = rss(s.server.pid())
	select {
	case <-s.server.exited:
		return s.server.died(fmt.Errorf("in case %s of %s", name, s.plan))
	default:
	}
	if err := s.collect(m); err != nil {
		return err
	}
	s.cases = append(s.cases, m)
	fmt.Fprintf(s.out, "%5.0f s  %s, %s\n", time.Since(s.started).Seconds(), s.plan, m.summary())
	return nil
}

func (s *stormRun) each(do func(*storm.Fleet)) {
	for _, f := range s.crowd {
		do(f)
	}
}

// restart ends the server, by SIGTERM or SIGKILL, and starts it again on the same port.
func (s *stormRun) restart(drain bool) error {
	if drain {
		_ = s.server.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.server.exited:
		case <-time.After(s.config.Timeout):
			return fmt.Errorf("%s: the server hasn't ended %v after SIGTERM", s.plan, s.config.Timeout)
		case <-s.ctx.Done():
			return errInterrupted
		}
	} else {
		s.server.stop()
	}
	next, err := s.launcher.run(s.ctx, s.server.Argv, s.server.Port)
	if err != nil {
		return err
	}
	s.server = next
	return nil
}

// collect adds up the outcomes of the fleets.
func (s *stormRun) collect(m *StormCase) error {
	var times []float64
	m.Counts = storm.NewCounts()
	for i, f := range s.crowd {
		o, err := f.Outcome()
		if err != nil {
			return fmt.Errorf("%s: %w", s.plan, err)
		}
		o.Losses.Wrong = f.Wrong(s.watchers[i])
		m.Clients, m.Whole = m.Clients+o.Clients, m.Whole+o.Whole
		times = append(times, o.Times...)
		m.Counts.Add(o.Counts)
		m.Losses.Add(o.Losses)
		for reason, n := range o.Reasons {
			if m.Reasons == nil {
				m.Reasons = map[string]int{}
			}
			m.Reasons[reason] += n
		}
	}
	m.Until50, m.Until99, m.Until100 = storm.Until(times, m.Clients, .5), storm.Until(times, m.Clients, .99), storm.Until(times, m.Clients, 1)
	if m.Case == "kill" || m.Case == "drain" {
		return nil // there are no bystanders
	}
	o, err := storm.Together(s.watchers)
	m.Bystanders = &o
	return err
}
