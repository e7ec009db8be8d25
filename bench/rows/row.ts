/** A row's work, ready to be timed. */
export interface Case {
  /** Does the work `iterations` times and returns (or resolves) when all of it is done, queued work included. */
  run(iterations: number): void | Promise<void>;
}

/** One line of the benchmark. */
export interface Row {
  /** `group/variant`; a peer's row of the same name is measured beside it. */
  readonly name: string;
  /** What one iteration does. */
  readonly what: string;
  /** The unit in which people think about it. */
  readonly unit: 'ns' | 'us' | 'ms';
  /** Floating point operations of one iteration, where a rate says more than a time. */
  readonly flops?: number;
  /** Makes the tensors. Called once, before the first round. */
  prepare(): Case;
}
