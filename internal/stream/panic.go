package stream

import (
	"fmt"
	"runtime/debug"
)

// Panic is the value of a panic with the stack of the goroutine that panicked. OnFreshStack passes panics on as a *Panic.
type Panic struct {
	Value any
	Stack []byte
}

// Recovered returns what recover returned as a Panic. The deferred function that recovered must call it, since the stack is
// that of the panic until it returns.
func Recovered(value any) *Panic {
	if p, ok := value.(*Panic); ok {
		return p
	}
	return &Panic{value, debug.Stack()}
}

// String returns the value. The stack is not part of it.
func (p *Panic) String() string { return fmt.Sprint(p.Value) }
