// Package quote is the domain: symbols and sectors, prices, ticks, positions and topics.
// It knows nothing of where ticks come from, how they are rendered or who reads them,
// and imports no other package of this module.
package quote
