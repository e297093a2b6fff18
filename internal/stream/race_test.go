//go:build race

package stream

// raced: the race detector makes compressing ten times as dear, so where seeds and turns only add to what the first of
// them show, there are fewer.
const raced = true
