package ingest

// Bounds of what a Result lists.
const (
	maxErrors = 20
	maxListed = 100 // holes
)

// Result is what became of the lines of an input.
type Result struct {
	Accepted   uint64      `json:"accepted"`
	Rejected   uint64      `json:"rejected"`
	Duplicates uint64      `json:"duplicates"`           // lines whose n had come before
	Last       uint64      `json:"last"`                 // the largest n of the source
	Holes      []Range     `json:"holes"`                // those n below Last that have not come, the first of them
	MoreHoles  int         `json:"more_holes,omitempty"` // ranges that are not listed
	Errors     []LineError `json:"errors"`               // of rejected lines, the first of them
	MoreErrors uint64      `json:"more_errors"`          // rejected lines that are not listed
}

// LineError is the reason why a line was rejected.
type LineError struct {
	Line   uint64 `json:"line"`  // its number in the input, from 1; empty lines count
	Field  string `json:"field"` // the member; empty if it is the whole line
	Reason string `json:"reason"`
}

// count counts a line that isn't a duplicate.
func (r *Result) count(l *line) {
	switch {
	case l.fault == nil:
		r.Accepted++
		return
	case len(r.Errors) < maxErrors:
		r.Errors = append(r.Errors, LineError{l.number, l.fault.field, l.fault.reason})
	default:
		r.MoreErrors++
	}
	r.Rejected++
}

func (r *Result) setProgress(s *sequence) {
	r.Last = s.last
	listed := min(len(s.holes), maxListed)
	r.Holes, r.MoreHoles = append([]Range{}, s.holes[:listed]...), len(s.holes)-listed
}

// Add adds the result of the lines that follow those of r. lines is how many lines precede them in the input.
func (r *Result) Add(o *Result, lines uint64) {
	r.Accepted, r.Rejected, r.Duplicates = r.Accepted+o.Accepted, r.Rejected+o.Rejected, r.Duplicates+o.Duplicates
	r.Last, r.Holes, r.MoreHoles = o.Last, o.Holes, o.MoreHoles
	listed := min(len(o.Errors), maxErrors-len(r.Errors))
	for _, e := range o.Errors[:listed] {
		e.Line += lines
		r.Errors = append(r.Errors, e)
	}
	r.MoreErrors += o.MoreErrors + uint64(len(o.Errors)-listed)
}

// Take returns what became of the lines since the last call, and the progress of the source's sequence.
func (x *Input) Take() Result { return x.result.Take() }

// Take returns a copy without nil slices, and sets r to its progress.
func (r *Result) Take() Result {
	taken := *r
	*r = Result{Last: r.Last, Holes: r.Holes, MoreHoles: r.MoreHoles}
	if taken.Holes == nil {
		taken.Holes = []Range{}
	}
	if taken.Errors == nil {
		taken.Errors = []LineError{}
	}
	return taken
}
