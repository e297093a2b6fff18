// Package natsbus is the bus between processes: a log of ticks in a NATS JetStream stream, which one node writes and every node
// reads. Without the address of a server it embeds one, whose store is in a directory, so that the log survives the process.
//
// The protocol:
//   - A message of the stream is a batch of ticks, instruments and progress. The writer numbers batches and ticks before it publishes
//     them. The headers have the epoch, the term of the writer, and which batch and ticks it is. A message without a batch begins a term.
//   - A node appends to its log only what it has read from the stream, the writer too.
//   - A lease in a key-value bucket selects the writer (see lease.go). It keeps nodes from disturbing each other. That only one
//     writes is due to the expected sequence of each message, which is that of the message before (see term.go): once another
//     writer has begun its term, nothing that the former one publishes is stored.
//   - The epoch is in the metadata of the stream. The writer begins a new one if the stream has lost ticks that were readable, since
//     one position would name two ticks otherwise (see epoch.go).
//
// The sequence of a message in the stream orders messages. It is no position of a tick.
//
// Sources: ADR-8 (key-value buckets), ADR-17 (ordered consumers), ADR-20 (object stores), ADR-31 (reading messages) and ADR-37
// (the simplified API) of nats-io/nats-architecture-and-design.
package natsbus
