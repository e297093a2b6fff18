package main

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary be the recipes' server, as the program itself is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "serve" || os.Args[1] == "run") {
		main()
		return
	}
	goleak.VerifyTestMain(patient{m})
}

// waiting bounds every wait of a test: reached only when something is broken, however little of the machine the test gets.
const waiting = time.Minute

// patient gives goroutines that are about to end their time, and processes with them.
type patient struct{ *testing.M }

func (p patient) Run() int {
	code := p.M.Run()
	for end := time.Now().Add(waiting); code == 0 && goleak.Find() != nil && time.Now().Before(end); {
	}
	return code
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(waiting); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s for: %s", waiting, what)
		}
	}
}

// measured runs a slot with longer and longer windows until one shows what it shall: on a machine that is busy with
// something else a short one may see nothing. What goes wrong in any of them is wrong.
func measured(t *testing.T, h *House, p Plan, shows func(*Slot) bool) *Slot {
	t.Helper()
	for ; ; p.Warm, p.Window = 3*p.Warm, 3*p.Window {
		slot, err := h.measure(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if c := slot.Counts; c.Lost+c.Repeated+c.Closed > 0 || len(c.Broken) > 0 {
			t.Fatalf("%+v", c)
		}
		if shows(slot) || p.Window > waiting/2 {
			return slot
		}
	}
}

func house(t *testing.T) *House {
	t.Helper()
	h, err := newHouse("no-ticklane-here")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}
