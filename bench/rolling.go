package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"ticklane/bench/generator"
	"ticklane/bench/storm"
	"ticklane/internal/wire"
)

// rollingNodes is the number of Ticklane servers in a rolling restart.
const rollingNodes = 3

// RollingConfig is what a rolling restart measures.
type RollingConfig struct {
	Clients int           `json:"clients"` // on each lane
	Engine  string        `json:"engine"`
	Rate    float64       `json:"rate"` // ticks/s
	Symbols int           `json:"symbols"`
	Offer   string        `json:"compress"`
	Pause   time.Duration `json:"pause_ns"`
	Timeout time.Duration `json:"timeout_ns"`
}

// RollingStep is the restart of one server.
type RollingStep struct {
	Node       int            `json:"node"`
	Cut        int64          `json:"cut"`      // clients whose connection ended
	Attempts   int64          `json:"attempts"` // to connect again
	Until50    float64        `json:"until_50_ms"`
	Until99    float64        `json:"until_99_ms"`
	Until100   float64        `json:"until_100_ms"` // since SIGTERM, until all clients have whole state again
	Ended      float64        `json:"ended_ms"`     // since SIGTERM
	Ready      float64        `json:"ready_ms"`     // from the start of the next process until /readyz succeeds
	Refused    int64          `json:"refused"`      // byes and statuses, without those of the server that ended
	Resumes    map[string]int `json:"resumes"`
	Losses     storm.Losses   `json:"losses"`
	Before     storm.Outcome  `json:"before"`     // clients of the other servers in the pause before
	Bystanders storm.Outcome  `json:"bystanders"` // the same during the restart
}

// RollingResult is the result of a rolling restart.
type RollingResult struct {
	Command string        `json:"command"`
	Started time.Time     `json:"started"`
	Load    string        `json:"load_average"`
	Machine Machine       `json:"machine"`
	Config  RollingConfig `json:"config"`
	Steps   []RollingStep `json:"steps"`
}

// parse sets the configuration by flags.
func (c *RollingConfig) parse(args []string) (ticklane, nats, out string, err error) {
	f := flag.NewFlagSet("rolling", flag.ContinueOnError)
	f.StringVar(&ticklane, "ticklane", "../bin/ticklane", "the binary to measure")
	f.StringVar(&nats, "nats-server", "../bin/nats-server", "the binary of the NATS server")
	f.StringVar(&out, "out", "results/rolling.json", "file of the result")
	f.IntVar(&c.Clients, "clients", 1000, "clients on each of the two lanes")
	f.StringVar(&c.Engine, "engine", "stream", "engine of ticklane: stream or shard")
	f.StringVar(&c.Offer, "compress", "none", "compression that clients offer: none or gzip")
	f.Float64Var(&c.Rate, "rate", 20, "ticks/s of the market")
	f.IntVar(&c.Symbols, "symbols", 500, "symbols of the market, 1 to 5000")
	f.DurationVar(&c.Pause, "pause", 5*time.Second, "time between two restarts")
	f.DurationVar(&c.Timeout, "timeout", time.Minute, "most time of a restart")
	if err := f.Parse(args); err != nil {
		return "", "", "", err
	}
	switch {
	case f.NArg() > 0:
		err = fmt.Errorf("rolling takes only flags, got %q", f.Arg(0))
	case c.Engine != "stream" && c.Engine != "shard":
		err = fmt.Errorf("-engine: unknown %q; want stream or shard", c.Engine)
	case c.Offer != "none" && c.Offer != "gzip":
		err = fmt.Errorf("-compress: unknown %q; want none or gzip", c.Offer)
	case c.Rate <= 0 || c.Rate > 10_000:
		err = fmt.Errorf("-rate %g: want more than 0, up to 10000", c.Rate)
	case c.Symbols < 1 || c.Symbols > 5000:
		err = fmt.Errorf("-symbols %d: want 1 to 5000", c.Symbols)
	case c.Pause < 0 || c.Pause > mostTime:
		err = fmt.Errorf("-pause %v: want 0 to %v", c.Pause, mostTime)
	case c.Timeout < time.Second || c.Timeout > mostTime:
		err = fmt.Errorf("-timeout %v: want 1s to %v", c.Timeout, mostTime)
	}
	return ticklane, nats, out, err
}

// runRolling restarts the servers of a cluster one after another, behind HAProxy, and measures what their clients notice.
func runRolling(ctx context.Context, args []string, out io.Writer) error {
	var c RollingConfig
	ticklane, nats, file, err := c.parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	files, err := generator.Files()
	if err != nil {
		return err
	}
	// HAProxy has two connections for each client.
	if most := (files - spareFiles) / 4; c.Clients < 1 || c.Clients > most {
		return fmt.Errorf("-clients %d: want 1 to %d: a process may have %d open files", c.Clients, most, files)
	}
	for name, path := range map[string]string{"-ticklane": ticklane, "-nats-server": nats, "haproxy": "haproxy"} {
		if _, err := exec.LookPath(path); err != nil {
			return fmt.Errorf("%s: %w: make rolling builds or installs what is missing", name, err)
		}
	}
	launcher, err := newLauncher(ticklane)
	if err != nil {
		return err
	}
	defer launcher.close()
	if nats, err = filepath.Abs(nats); err != nil {
		return err
	}
	r := &RollingResult{Command: "field rolling " + baseNames(args), Started: time.Now().UTC(), Load: loadAverage(), Machine: machine(), Config: c}
	fmt.Fprintf(out, "Servers: %d behind HAProxy; clients on each lane: %d; at most %v a restart; load now %s. Close other programs.\n", rollingNodes, c.Clients, c.Timeout, r.Load)
	run := &rollingRun{ctx: ctx, launcher: launcher, config: c, files: files, out: out, nats: nats}
	defer run.close()
	r.Steps, err = run.measure()
	if err == nil {
		err = r.write(file)
	}
	r.print(out)
	if err == nil {
		fmt.Fprintf(out, "\n%v. Result: %s\n", time.Since(r.Started).Round(time.Second), absolute(file))
	}
	return err
}

// rollingRun has the processes of a rolling restart.
type rollingRun struct {
	ctx      context.Context
	launcher *Launcher
	config   RollingConfig
	files    int
	out      io.Writer
	nats     string // the binary

	servers []*Server // in the order of their starts: NATS, HAProxy
	nodes   [rollingNodes]*Server
	crowd   []*storm.Fleet
	watch   [rollingNodes]*storm.Fleet
}

func (r *rollingRun) close() {
	for _, f := range append(r.crowd, r.watch[:]...) {
		if f != nil {
			f.Close()
		}
	}
	for _, s := range append(r.nodes[:], r.servers...) {
		if s != nil {
			s.stop()
		}
	}
}

// start starts NATS, the servers and HAProxy, and returns the port of HAProxy.
func (r *rollingRun) start() (port int, err error) {
	var ports [2 + rollingNodes]int
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return 0, err
		}
	}
	dir := r.launcher.dir
	nats, err := r.launcher.run(r.ctx, []string{r.nats, "-a", "127.0.0.1", "-p", strconv.Itoa(ports[0]), "-js", "-sd", filepath.Join(dir, "nats")}, ports[0])
	if err != nil {
		return 0, fmt.Errorf("NATS: %w", err)
	}
	r.servers = append(r.servers, nats)
	var backends strings.Builder
	for i := range r.nodes {
		at := ports[2+i]
		argv := []string{r.launcher.Ticklane, "serve", fmt.Sprintf("--server.addr=127.0.0.1:%d", at), "--server.drain_delay=1500ms", "--server.trusted_proxies=127.0.0.1",
			"--bus.kind=nats", fmt.Sprintf("--bus.nats.url=nats://127.0.0.1:%d", ports[0]), "--bus.node=node" + strconv.Itoa(i),
			"--data.dir=" + filepath.Join(dir, "node"+strconv.Itoa(i)), "--market.seed=7", "--market.arrivals=steady", "--market.warmup=0s",
			"--market.rate=" + strconv.FormatFloat(r.config.Rate, 'f', -1, 64), "--market.symbols=" + strconv.Itoa(r.config.Symbols),
			"--limits.per_address=1000000", "--log.level=error", "--stream.engine=" + r.config.Engine}
		if r.nodes[i], err = r.launcher.run(r.ctx, argv, at); err != nil {
			return 0, fmt.Errorf("server %d: %w", i, err)
		}
		if err := r.ready(i); err != nil {
			return 0, err
		}
		fmt.Fprintf(&backends, "  server node%d 127.0.0.1:%d check inter 500ms fall 1 rise 1\n", i, at)
	}
	config := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(config, fmt.Appendf(nil, rollingProxy, 2*r.config.Clients+500, ports[1], backends.String()), 0o600); err != nil {
		return 0, err
	}
	proxy, err := r.launcher.run(r.ctx, []string{"haproxy", "-db", "-f", config}, ports[1])
	if err != nil {
		return 0, fmt.Errorf("HAProxy: %w", err)
	}
	r.servers = append(r.servers, proxy)
	return ports[1], nil
}

// rollingProxy is HAProxy's configuration, with its connections, its port and the servers. deploy/proxies has one for production.
const rollingProxy = `global
  maxconn %d
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  option http-no-delay
frontend in
  bind 127.0.0.1:%d
  default_backend nodes
backend nodes
  balance leastconn
  option redispatch
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
%s`

// ready waits until a server is ready.
func (r *rollingRun) ready(i int) error {
	client := http.Client{Timeout: 5 * time.Second}
	for end := time.Now().Add(r.config.Timeout); time.Now().Before(end) && r.ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		res, err := client.Get("http://" + r.nodes[i].addr() + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return fmt.Errorf("server %d isn't ready after %v", i, r.config.Timeout)
}

// measure starts everything and restarts each server.
func (r *rollingRun) measure() (steps []RollingStep, err error) {
	port, err := r.start()
	if err != nil {
		return nil, err
	}
	market, err := (&stormRun{plan: stormPlan{name: "ticklane"}}).market(r.nodes[0].Port)
	if err != nil {
		return nil, err
	}
	for i := range r.watch {
		t := storm.Target{Port: r.nodes[i].Port, Path: "/sse/subscribe?topics=*", Resume: true, Compress: r.config.Offer != "none"}
		if r.watch[i], err = storm.New(storm.Settings{Clients: bystanders, Target: t, Market: market, Files: r.files, Latency: true}); err != nil {
			return nil, err
		}
		r.watch[i].Connect()
	}
	for _, lane := range []wire.Lane{wire.SSE, wire.WS} {
		t := storm.Target{Port: port, Lane: lane, Path: "/" + lane.String() + "/subscribe?topics=*", Resume: true, Compress: r.config.Offer != "none"}
		fleet, err := storm.New(storm.Settings{Clients: r.config.Clients, Target: t, Market: market, Files: r.files, Nice: clientsNice})
		if err != nil {
			return nil, err
		}
		r.crowd = append(r.crowd, fleet)
		fleet.Connect()
	}
	for i := range r.nodes {
		if err := r.settled(append(r.crowd[:len(r.crowd):len(r.crowd)], r.watch[:]...)...); err != nil {
			return steps, err
		}
		step, err := r.restart(i)
		if err != nil {
			return steps, err
		}
		steps = append(steps, step)
		fmt.Fprintf(r.out, "%s\n", step.summary())
	}
	return steps, nil
}

// settled waits until all clients have whole state.
func (r *rollingRun) settled(fleets ...*storm.Fleet) error {
	for end := time.Now().Add(r.config.Timeout); time.Now().Before(end) && r.ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		away := 0
		for _, f := range fleets {
			away += f.Away()
		}
		if away == 0 {
			return nil
		}
	}
	if r.ctx.Err() != nil {
		return errInterrupted
	}
	return fmt.Errorf("not all clients have whole state after %v", r.config.Timeout)
}

// restart restarts one server after a pause and waits until all clients have whole state.
func (r *rollingRun) restart(i int) (step RollingStep, err error) {
	step = RollingStep{Node: i, Resumes: map[string]int{}}
	var others []*storm.Fleet
	for k, f := range r.watch {
		if k != i {
			others = append(others, f)
		}
	}
	for _, f := range others {
		f.Begin()
	}
	pause(r.ctx, r.config.Pause)
	if step.Before, err = storm.Together(others); err != nil {
		return step, err
	}
	for _, f := range append(r.crowd[:len(r.crowd):len(r.crowd)], others...) {
		f.Begin()
	}
	begun := time.Now()
	old := r.nodes[i]
	_ = old.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-old.exited:
	case <-time.After(r.config.Timeout):
		return step, fmt.Errorf("server %d hasn't ended %v after SIGTERM", i, r.config.Timeout)
	case <-r.ctx.Done():
		return step, errInterrupted
	}
	step.Ended = time.Since(begun).Seconds() * 1e3
	started := time.Now()
	next, err := r.launcher.run(r.ctx, old.Argv, old.Port)
	if err != nil {
		return step, fmt.Errorf("server %d: %w", i, err)
	}
	r.nodes[i] = next
	if err := r.ready(i); err != nil {
		return step, err
	}
	step.Ready = time.Since(started).Seconds() * 1e3
	if err := r.settled(r.crowd...); err != nil {
		return step, err
	}
	pause(r.ctx, afterStorm)
	var times []float64
	for _, f := range r.crowd {
		o, err := f.Outcome()
		if err != nil {
			return step, err
		}
		times = append(times, o.Times...)
		step.Attempts += o.Counts.Attempts
		step.Losses.Add(o.Losses)
		for reason, n := range o.Counts.Refused {
			if reason != "shutdown" {
				step.Refused += n
			}
		}
		for kind, n := range o.Counts.Resumes {
			step.Resumes[kind] += int(n)
		}
	}
	step.Cut = int64(len(times))
	step.Until50, step.Until99, step.Until100 = storm.Until(times, len(times), .5), storm.Until(times, len(times), .99), storm.Until(times, len(times), 1)
	step.Bystanders, err = storm.Together(others)
	step.Losses.Add(step.Bystanders.Losses)
	return step, err
}

func (s *RollingStep) summary() string {
	return fmt.Sprintf("server %d: %d clients cut, all have whole state %.1f s after SIGTERM; ready %.1f s after its start; lost: %d", s.Node, s.Cut, s.Until100/1e3, s.Ready/1e3, s.Losses.Total())
}

func (r *RollingResult) print(out io.Writer) {
	fmt.Fprintf(out, "\nRolling restart, %d clients on each lane, %g ticks/s, %d symbols, engine %s. Times in s since SIGTERM\n", r.Config.Clients, r.Config.Rate, r.Config.Symbols, r.Config.Engine)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "server\tcut\tended\t50 %\t99 %\t100 %\tready after\tattempts\trefused\tcomplete\tother resumes\tlost\tbystanders before p50 / p99 / max ms\tduring\t")
	for _, s := range r.Steps {
		other := 0
		for kind, n := range s.Resumes {
			if kind != "complete" {
				other += n
			}
		}
		fmt.Fprintf(w, "%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", s.Node, s.Cut, s.Ended/1e3, s.Until50/1e3, s.Until99/1e3, s.Until100/1e3, s.Ready/1e3,
			s.Attempts, s.Refused, s.Resumes["complete"], other, s.Losses.Total(), latencies(s.Before), latencies(s.Bystanders))
	}
	w.Flush()
	fmt.Fprintln(out, "\ncut: clients whose stream ended. refused: byes and statuses of servers that didn't end. lost: ticks lost or doubled, snapshots wrong or disordered.\n"+
		"bystanders: 20 clients directly at each of the other servers, in the pause before the restart and during it.")
}

// latencies returns the quantiles of the latency of ticks.
func latencies(o storm.Outcome) string { return fmt.Sprintf("%.1f / %.1f / %.1f", o.P50, o.P99, o.Max) }

func (r *RollingResult) write(file string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
