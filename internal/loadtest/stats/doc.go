// Package stats turns measurements into figures: histograms of latency, medians with their range, and pairwise
// comparisons with a confidence interval and a noise floor.
package stats
