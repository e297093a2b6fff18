// Package loadtest measures the two lanes of a Ticklane server from outside, as a client in a process of its own.
//
// # Method
//
// The load is open: the feed's schedule sets the pace, and no client's slowness delays it. The latency of a tick is the
// time of the read that brought it minus the time at which it was due, so that what queues anywhere is in it (Tene,
// "How NOT to Measure Latency", 2013: coordinated omission). Each tick of each connection is checked first: latency is
// void where anything was lost, doubled or told as a gap.
//
// A comparison has two sides, A and B, which are measured in turns: A B, B A, A B, … Each turn is a slot, each pair of
// turns a round. A drift of the machine hits both sides alike, and wherever the order turns, two slots of the same side
// stand next to each other: these A/A pairs tell how far equal runs differ, and no smaller difference is claimed. A
// difference is the mean of the rounds' A − B with Student's interval for paired samples (see Interval).
//
// The generator watches itself: a slot in which its own timer ran late or the CPUs were used up is invalid, and its round
// is left out.
package loadtest
