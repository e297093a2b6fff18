// Package quote defines the domain: symbols and sectors, prices, ticks, positions and topics. It is independent of where ticks
// come from and how they are rendered, and imports no other package of this module.
package quote
