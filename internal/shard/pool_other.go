//go:build !linux

package shard

// Available reports whether this system has the engine.
const Available = false

// Pool can't be made on this system.
type Pool struct{}

// New returns ErrUnavailable.
func New(Options) (*Pool, error) { return nil, ErrUnavailable }

// Add returns ErrUnavailable.
func (*Pool) Add(Handoff) error { return ErrUnavailable }

// CloseAll does nothing.
func (*Pool) CloseAll() {}

// Close does nothing.
func (*Pool) Close() {}
