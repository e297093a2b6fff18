package stream

import "testing"

func TestApartHandsAPanicOn(t *testing.T) {
	defer func() {
		if p := recover(); p != "bomb" {
			t.Errorf("recovered %v", p)
		}
	}()
	done := false
	Apart(func() { done = true })
	if !done {
		t.Error("Apart didn't wait")
	}
	Apart(func() { panic("bomb") })
	t.Error("Apart returned after a panic")
}
