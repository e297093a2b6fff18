//go:build !linux

package shard

// Available tells whether this system has the engine.
const Available = false

// Pool is never made here.
type Pool struct{}

// New fails with ErrUnavailable.
func New(Options) (*Pool, error) { return nil, ErrUnavailable }

// Add is never called.
func (*Pool) Add(Handoff) error { return ErrUnavailable }

// CloseAll is never called.
func (*Pool) CloseAll() {}

// Close is never called.
func (*Pool) Close() {}
