package ingest

// maxSources bounds the sources whose sequences are remembered. Of the subject that has the most, the one that was used longest ago is
// forgotten first, so that no subject makes the server forget those of others.
const maxSources = 1024

// sequences are the sequences of all sources that were seen.
type sequences struct {
	bySource map[string]*sourceSequence
	opened   uint64
}

type sourceSequence struct {
	sequence
	subject string
	inputs  int    // that are open
	stored  bool   // other nodes know of it
	opened  uint64 // number of the newest input
}

// open returns the sequence of a source, nil if it belongs to another subject.
func (s *sequences) open(name, subject string) *sourceSequence {
	q := s.bySource[name]
	if q == nil {
		if len(s.bySource) >= maxSources {
			s.forget()
		}
		q = &sourceSequence{subject: subject}
		s.bySource[name] = q
	}
	if q.subject != subject {
		return nil
	}
	s.opened++
	q.opened = s.opened
	return q
}

// foreign reports whether the sequence with a name belongs to another subject.
func (s *sequences) foreign(name, subject string) bool {
	q := s.bySource[name]
	return q != nil && q.subject != subject
}

// forget removes a sequence: see maxSources. It keeps those with an open input.
func (s *sequences) forget() {
	unused := map[string]int{}
	for _, q := range s.bySource {
		if q.inputs == 0 {
			unused[q.subject]++
		}
	}
	most := 0
	for _, n := range unused {
		most = max(most, n)
	}
	oldest, name := s.opened+1, ""
	for k, q := range s.bySource {
		if q.inputs == 0 && unused[q.subject] == most && q.opened < oldest {
			oldest, name = q.opened, k
		}
	}
	if oldest <= s.opened {
		delete(s.bySource, name)
	}
}
