package stream

import (
	"strings"
	"testing"
)

func TestOnFreshStackPanic(t *testing.T) {
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "bomb" || p.String() != "bomb" || !strings.Contains(string(p.Stack), "plantBomb") {
			t.Errorf("recovered %v", p)
		}
		if Recovered(p) != p {
			t.Error("the stack was replaced")
		}
	}()
	done := false
	OnFreshStack(func() { done = true })
	if !done {
		t.Error("OnFreshStack doesn't wait")
	}
	OnFreshStack(plantBomb)
	t.Error("OnFreshStack returned after a panic")
}

func plantBomb() { panic("bomb") }
