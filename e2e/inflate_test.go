package e2e

import (
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// tickCount is the number of ticks that each client reads.
const tickCount = 700

// serveCompressed starts a server that compresses for every client that offers it, with 400 ticks per second.
func serveCompressed(t *testing.T, flags ...string) *server {
	t.Helper()
	return serve(t, append([]string{"--stream.compress", "on", "--market.rate", "400", "--market.arrivals", "steady", "--market.warmup", "0s", "--stream.log_size", "1048576"}, flags...)...)
}

var tickSeq = regexp.MustCompile(`"i":(\d+)\}$`)

// checkTicks compares the ticks that a client inflated with the server's uncompressed ones, byte for byte, and checks that
// the server compressed them.
func (s *server) checkTicks(lane string, got []string) {
	s.t.Helper()
	if len(got) != tickCount {
		s.t.Fatalf("%s: %d ticks, want %d", lane, len(got), tickCount)
	}
	req, err := http.NewRequest("GET", s.url+"/sse/subscribe?from=oldest&snapshot=false&limit="+last(got), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Content-Encoding") != "" {
		s.t.Fatalf("%v, %v", err, resp.Header)
	}
	sent := strings.Join(ticksOf(string(body)), "\n")
	if !strings.HasSuffix(sent, strings.Join(got, "\n")) {
		s.t.Errorf("%s: the client's ticks differ from the server's; the first is %s", lane, got[0])
	}
	var all struct {
		Lanes map[string]map[string]float64 `json:"lanes"`
	}
	s.get("/api/stats", &all)
	if n := all.Lanes[lane]; n["compress_out_bytes"] == 0 || n["compress_out_bytes"] >= n["compress_in_bytes"] {
		// On a busy machine the server compresses only a part, within its budget of time.
		s.t.Errorf("%s: %v bytes compressed to %v, want fewer", lane, n["compress_in_bytes"], n["compress_out_bytes"])
	}
}

// last returns the seq of the last tick.
func last(got []string) string {
	if m := tickSeq.FindStringSubmatch(got[len(got)-1]); m != nil {
		return m[1]
	}
	return "1"
}

// ticksOf returns the ticks in a client's output, which has one message a line.
func ticksOf(text string) (all []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "data: ")
		if strings.HasPrefix(line, `{"T":"q"`) {
			all = append(all, line)
		}
	}
	return all
}

const nodeSSE = `
const text = await (await fetch('http://ADDR/sse/subscribe?limit=700')).text();
process.stdout.write(text);
`

const nodeEventSource = `
import { EventSource } from 'eventsource';
const es = new EventSource('http://ADDR/sse/subscribe?limit=700');
es.onmessage = (e) => console.log(e.data);
es.addEventListener('bye', () => es.close());
`

const nodeWS = `
import WebSocket from 'ws';
const ws = new WebSocket('ws://ADDR/ws/subscribe?limit=700');
let n = 0;
ws.on('message', (m) => {
  console.log(m.toString());
  if (++n % 100 === 0) ws.send('{"action":"time"}');
});
ws.on('close', (code) => { if (code !== 1000) throw new Error('closed: ' + code); });
ws.on('open', () => { if (!ws.extensions.includes('permessage-deflate')) throw new Error('not compressed'); });
`

const pythonWS = `
import asyncio, websockets
async def main():
    async with websockets.connect("ws://ADDR/ws/subscribe?limit=700") as ws:
        n = 0
        async for m in ws:
            print(m)
            n += 1
            if n % 100 == 0:
                await ws.send('{"action":"time"}')
asyncio.run(main())
`

// TestClientsInflate runs common clients, each with its own way of compression.
func TestClientsInflate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, lane, code string
		command          []string
	}{
		{"curl.sh", "sse", "curl -sSN --compressed 'http://ADDR/sse/subscribe?limit=700'", []string{"sh"}},
		{"sse.mjs", "sse", nodeSSE, []string{"node"}},
		{"eventsource.mjs", "sse", nodeEventSource, []string{"node"}},
		{"ws.mjs", "ws", nodeWS, []string{"node"}},
		{"ws.py", "ws", pythonWS, []string{pythonWithWebSockets()}},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			s := serveCompressed(t)
			s.checkTicks(c.lane, ticksOf(runClient(t, c.file, strings.ReplaceAll(c.code, "ADDR", s.addr), c.command)))
		})
	}
	t.Run("Go", func(t *testing.T) {
		t.Parallel()
		s := serveCompressed(t)
		resp, err := http.Get(s.url + "/sse/subscribe?limit=700")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || !resp.Uncompressed {
			t.Fatalf("%v; inflated: %v", err, resp.Uncompressed)
		}
		s.checkTicks("sse", ticksOf(string(body)))
	})
}

// pythonWithWebSockets returns a Python that has the package websockets: the first in the path, else the system's.
func pythonWithWebSockets() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import websockets").Run() == nil {
			return python
		}
	}
	return "python3" // its error names the missing package
}

// collect is a script of a page that reads both lanes to their ends.
const collect = `
const read = (open) => new Promise((done) => { const got = []; open(got, () => done(got)); });
self.seen = Promise.all([
  read((got, end) => {
    const es = new EventSource('http://ADDR/sse/subscribe?limit=700');
    es.onmessage = (e) => got.push(e.data);
    es.addEventListener('bye', () => { es.close(); end(); });
  }),
  read((got, end) => {
    const ws = new WebSocket('ws://ADDR/ws/subscribe?limit=700');
    let n = 0;
    ws.onmessage = (e) => {
      if (e.data.startsWith('{"T":"q"')) got.push(e.data);
      if (++n % 100 === 0) ws.send('{"action":"time"}');
    };
    ws.onclose = end;
  }),
]).then(([sse, ws]) => ({ sse, ws }));
`

// inflated is what collect returns: the ticks of both lanes.
type inflated struct{ SSE, WS []string }

// TestChromiumInflates reads compressed streams in Chromium.
func TestChromiumInflates(t *testing.T) {
	t.Parallel()
	s := serveCompressed(t)
	b := openTab(t)
	b.visit(s.url + "/healthz")
	got := eval[inflated](b, strings.ReplaceAll(collect, "ADDR", s.addr)+"self.seen")
	s.checkTicks("sse", got.SSE)
	s.checkTicks("ws", got.WS)
}
