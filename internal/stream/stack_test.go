package stream

import "testing"

func TestOnFreshStackPanic(t *testing.T) {
	defer func() {
		if p := recover(); p != "bomb" {
			t.Errorf("recovered %v", p)
		}
	}()
	done := false
	OnFreshStack(func() { done = true })
	if !done {
		t.Error("OnFreshStack doesn't wait")
	}
	OnFreshStack(func() { panic("bomb") })
	t.Error("OnFreshStack returned after a panic")
}
