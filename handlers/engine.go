package handlers

import (
	"slices"

	"ticklane/internal/shard"
	"ticklane/internal/wire"
)

// Values of stream.engine.
const (
	engineStream = "stream" // goroutines for each connection
	engineShard  = "shard"  // a few writers for all connections
)

// Engines returns the engines of this build for each lane, the default first.
func Engines() [wire.Lanes][]string {
	var all [wire.Lanes][]string
	for lane := range all {
		all[lane] = []string{engineStream}
		if shard.Available {
			all[lane] = append(all[lane], engineShard)
		}
	}
	return all
}

// engines returns the engines that can serve a lane on this server now, the configured one first.
func (s *Server) engines(lane wire.Lane) []string {
	all := Engines()[lane]
	if !s.shardable() {
		all = slices.DeleteFunc(all, func(e string) bool { return e == engineShard })
	}
	if k := slices.Index(all, s.set.Engine); k > 0 {
		all = slices.Insert(slices.Delete(all, k, k+1), 0, s.set.Engine)
	}
	return all
}

// compressions returns the values of the lab's parameter compress, none if the server doesn't compress.
func (s *Server) compressions() []string {
	if !s.stream.CompressionEnabled() {
		return nil
	}
	return []string{compressOff, compressOn}
}
