//go:build !linux

package metrics

func residentMemory() uint64 { return 0 }
