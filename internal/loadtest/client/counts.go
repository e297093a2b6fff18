package client

// Counts are the deviations of what a connection received from what it should have received. The zero value is a
// complete stream.
type Counts struct {
	Lost       uint64 // ticks that never arrived, without a gap message
	Duplicates uint64 // ticks that arrived again
	OutOfOrder uint64 // ticks that arrived after a later one
	Gaps       uint64 // gap messages
	GapTicks   uint64 // ticks that the gap messages reported as lost
	Resets     uint64 // resumes that were answered with another log
	WrongIDs   uint64 // SSE events whose id isn't the position to resume from
	Ignored    uint64 // resumes that were answered as if no position had been sent
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Lost += d.Lost
	c.Duplicates += d.Duplicates
	c.OutOfOrder += d.OutOfOrder
	c.Gaps += d.Gaps
	c.GapTicks += d.GapTicks
	c.Resets += d.Resets
	c.WrongIDs += d.WrongIDs
	c.Ignored += d.Ignored
}
