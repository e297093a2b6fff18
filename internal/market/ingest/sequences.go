package ingest

// maxSources bounds the sources whose sequences are remembered. The one that was used longest ago is forgotten first.
const maxSources = 1024

// sequences are the sequences of all sources that were seen.
type sequences struct {
	bySource map[string]*sourceSequence
	opened   uint64
}

type sourceSequence struct {
	sequence
	inputs int    // that are open
	opened uint64 // number of the newest input
}

// open returns the sequence of a source, for an input that must release it.
func (s *sequences) open(name string) *sourceSequence {
	q := s.bySource[name]
	if q == nil {
		if len(s.bySource) >= maxSources {
			s.forget()
		}
		q = &sourceSequence{}
		s.bySource[name] = q
	}
	s.opened++
	q.opened = s.opened
	q.inputs++
	return q
}

// forget removes the sequence that was opened longest ago, of those without an open input.
func (s *sequences) forget() {
	oldest, name := s.opened+1, ""
	for k, q := range s.bySource {
		if q.inputs == 0 && q.opened < oldest {
			oldest, name = q.opened, k
		}
	}
	if oldest <= s.opened {
		delete(s.bySource, name)
	}
}
