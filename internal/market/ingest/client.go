package ingest

import (
	"errors"

	"ticklane/internal/quote"
)

// Client is the sender of lines, with its rights. The zero value may send all.
type Client struct {
	Subject  string                           // owns the sequences whose names it uses first
	MayWrite func(symbol, sector string) bool // whether ticks of a symbol may be sent; its sector is "" if it is unknown. nil for all
	MaxLine  int                              // bytes of a line, if fewer than Options.MaxLine; 0 for those
}

// ErrForeignSource is returned for the name of a sequence that belongs to another subject.
var ErrForeignSource = errors.New("this source belongs to another subject; choose another name")

// Claim makes the sequence with a name belong to a subject, if it belongs to none. The error is ErrForeignSource.
func (s *Source) Claim(name, subject string) error {
	if name == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.open(name, subject)
	return err
}

// CheckOwner returns ErrForeignSource if the sequence with a name belongs to another subject.
func (s *Source) CheckOwner(name, subject string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	foreign, elsewhere := s.foreign(name, subject)
	if !elsewhere {
		foreign = s.sequences.foreign(name, subject)
	}
	if foreign {
		return ErrForeignSource
	}
	return nil
}

// open returns the sequence with a name, nil if another node publishes, which has it. The error is ErrForeignSource.
func (s *Source) open(name, subject string) (*sourceSequence, error) {
	foreign, elsewhere := s.foreign(name, subject)
	if foreign {
		return nil, ErrForeignSource
	}
	if elsewhere {
		return nil, nil
	}
	q := s.sequences.open(name, subject)
	if q == nil {
		return nil, ErrForeignSource
	}
	return q, nil
}

// foreign reports whether the sequence with a name belongs to another subject, if it is another node that publishes.
func (s *Source) foreign(name, subject string) (foreign, elsewhere bool) {
	if s.publish != nil {
		return false, false
	}
	foreign, elsewhere = s.follower.foreign(name, subject)
	return foreign && elsewhere, elsewhere
}

// forbidden returns the fault of a line of a symbol that the client may not send, nil if it may. known reports whether id is that of the
// symbol.
func (p *parser) forbidden(symbol []byte, id quote.ID, known bool) *fault {
	if p.mayWrite == nil {
		return nil
	}
	sector := ""
	if known {
		sector = p.universe.Instrument(id).Sector
	}
	if p.mayWrite(string(symbol), sector) {
		return nil
	}
	return forbidden(symbol)
}

// forbidden is the fault of a line of a symbol that the client may not send.
func forbidden(symbol []byte) *fault {
	return &fault{"S", quoted(symbol) + ": forbidden; the token has no right to write it"}
}
