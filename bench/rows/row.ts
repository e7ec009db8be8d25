/** A row's work, ready to be timed. */
export interface Case {
  /** Does the work `iterations` times and returns (or resolves) when all of it is done, queued work included. */
  run(iterations: number): void | Promise<void>;
  /** Ends what `prepare` started beside the work. */
  close?(): void | Promise<void>;
}

/** One line of the benchmark. */
export interface Row {
  /** `group/variant`; a peer's row of the same name is measured beside it. */
  readonly name: string;
  /** What one iteration does. */
  readonly what: string;
  /** The unit in which people think about it. */
  readonly unit: 'ns' | 'us' | 'ms';
  /** Floating point operations that one iteration cannot do without. */
  readonly flops?: number;
  /** Bytes that one iteration has to read and write, if nothing but its own inputs is in a cache. */
  readonly bytes?: number;
  /** What the operations are done in; float32 unless said. */
  readonly dtype?: 'float32' | 'bfloat16';
  /** Makes sense on the CPU only, or is too large for it. */
  readonly only?: 'cpu' | 'cuda';
  /** Takes long: left out by --quick. */
  readonly slow?: boolean;
  /** Makes the tensors. Called once, before the first round. */
  prepare(): Case;
}
