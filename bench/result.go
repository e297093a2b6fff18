package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Result is all measurements of one or more runs, with the machine.
type Result struct {
	Started      time.Time         `json:"started"`
	Ended        time.Time         `json:"ended"`
	Machine      Machine           `json:"machine"`
	Versions     map[string]string `json:"versions"`
	Runs         []Run             `json:"runs"`
	Targets      []Target          `json:"targets"`
	Measurements []*Measurement    `json:"slots"`
}

// Machine is where everything ran.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
	OS     string `json:"os"`
	Kernel string `json:"kernel"`
	Arch   string `json:"arch"`
}

// Run is one call of this command.
type Run struct {
	Command string    `json:"command"`
	Config  Config    `json:"config"`
	Started time.Time `json:"started"`
	Load    string    `json:"load_average"` // of the machine, before the run
	// Environment are the variables that change the behaviour of Ticklane, of Go programs or of the C compiler.
	Environment []string `json:"environment,omitempty"`
}

func newResult() *Result {
	return &Result{Started: time.Now().UTC(), Machine: machine(), Versions: map[string]string{}}
}

// add adds a measurement of the newest run. It removes those of earlier runs of the same server in the same experiment,
// since rounds of different runs can't be compared.
func (r *Result) add(s *Measurement) {
	s.Run = len(r.Runs)
	r.Measurements = slices.DeleteFunc(r.Measurements, func(o *Measurement) bool {
		return o.Experiment == s.Experiment && o.Shape == s.Shape && o.Run != s.Run
	})
	r.Measurements = append(r.Measurements, s)
}

// load reads an earlier result to add to, a new one if there is no file.
func load(name string) (*Result, error) {
	r, err := read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return newResult(), nil
	}
	if err != nil {
		return nil, err
	}
	if now := machine(); r.Machine != now {
		return nil, fmt.Errorf("%s: measured on another machine (%v, now %v); results of two machines can't be combined", name, r.Machine, now)
	}
	return r, nil
}

func read(name string) (*Result, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func (r *Result) write(name string) error {
	r.Ended = time.Now().UTC()
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// machine returns what is needed to judge figures, without a host name.
func machine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Arch: runtime.GOARCH, OS: "Linux"}
	m.Memory = fields("/proc/meminfo")["MemTotal"] << 10
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			m.CPU = strings.TrimSpace(v)
			break
		}
	}
	b, _ = os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			m.OS = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel, _, _ = strings.Cut(unix.ByteSliceToString(u.Release[:]), "-") // the name of a build is irrelevant
	}
	return m
}

// environment returns the variables that servers inherit and that change their behaviour.
func environment() []string {
	var out []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "TICKLANE_") || slices.Contains([]string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "CC"}, name) {
			out = append(out, v)
		}
	}
	return out
}

func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(b)); len(f) > 2 {
		return strings.Join(f[:3], " ")
	}
	return ""
}

// versions returns the versions of what is compared.
func versions(h *Launcher) map[string]string {
	v := map[string]string{"go": runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/gofiber/fiber/v2", "github.com/valyala/fasthttp", "github.com/r3labs/sse/v2", "github.com/tmaxmax/go-sse",
				"github.com/gorilla/websocket", "github.com/gobwas/ws", "github.com/fasthttp/websocket", "github.com/coder/websocket":
				v[d.Path] = d.Version
			}
		}
	}
	if cc, err := compiler(); err == nil {
		out, _ := exec.Command(cc[0], "--version").Output()
		v["cc"], _, _ = strings.Cut(string(out), "\n")
	}
	if out, err := exec.Command(h.Ticklane, "version").Output(); err == nil {
		v["ticklane"] = strings.TrimSpace(string(out))
	}
	return v
}
