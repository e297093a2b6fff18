// GET /api/cluster. Times are in µs since 1970, durations in µs.

export interface Quantiles { p50: number; p99: number }

export interface Point { at: number; writes: boolean; behind: number; p50: number; p99: number }

export interface Change { at: number; node: string; term: number }

export interface Difference { setting: string; here: string; node: string; there: string; effect: string }

export interface ClusterNode {
  name: string; version: string; address: string; role: 'writer' | 'standby' | 'reader' | 'single';
  ready: boolean; reason: string; started: number; epoch: string; term: number; head: number; lag: number; behind: number;
  sse: number; ws: number; ticks: number; bytes: number; read: Quantiles; ack: Quantiles;
  server: string; connected: boolean; stale: number; error: string;
  state: 'up' | 'lost' | 'left'; reported: number; self: boolean; duplicate: boolean; points: Point[];
}

export interface ClusterView {
  bus: string; self: string; connected: boolean; now: number; writer: string; nodes: ClusterNode[]; changes: Change[]; differences: Difference[];
}
