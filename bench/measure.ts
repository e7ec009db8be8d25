// Timing of a row's work.
import type { Case } from './rows/row.js';

/** A case that knows how many iterations make a measurement. */
export class Measured {
  /** Milliseconds of an iteration at its fastest so far; 0 before the first. */
  private fastest = 0;

  constructor(private readonly work: Case) {}

  /** Nanoseconds of one iteration, over about `ms` milliseconds of them. */
  async measure(ms: number): Promise<number> {
    if (this.fastest === 0) await this.warmUp(ms);
    return 1e6 * (await this.time(Math.max(1, Math.round(ms / this.fastest))));
  }

  // Doubles until a run is long enough to be told from the clock's noise; that also lets the JIT compiler settle.
  private async warmUp(ms: number): Promise<void> {
    for (let iterations = 1; (await this.time(iterations)) * iterations < ms / 4; iterations *= 2);
  }

  private async time(iterations: number): Promise<number> {
    const start = performance.now();
    await this.work.run(iterations);
    const each = (performance.now() - start) / iterations;
    this.fastest = this.fastest === 0 ? each : Math.min(this.fastest, each);
    return each;
  }
}
