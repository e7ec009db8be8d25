// Timing of a row's work.
import type { Case } from './rows/row.js';

/** How many measurements' time is spent before the first: until then V8 still compiles what it finds to be hot. */
const warmMeasurements = 10;

/** A case that knows how many iterations make a measurement. */
export class Measured {
  /** Milliseconds of an iteration at its fastest so far; 0 before the first. */
  private fastest = 0;

  constructor(private readonly work: Case) {}

  /**
   * Doubles the number of iterations until a run is long enough to be told from the clock's noise, and goes on until the
   * JIT compiler has settled. Gives the nanoseconds of an iteration.
   */
  async warmUp(ms: number): Promise<number> {
    // The first run of all makes caches and pages, and says nothing.
    await this.time(1);
    this.fastest = 0;
    for (let iterations = 1, spent = 0; spent < warmMeasurements * ms;) {
      const run = iterations * (await this.time(iterations));
      spent += run;
      if (run < ms / 2) iterations *= 2;
    }
    return 1e6 * this.fastest;
  }

  /** Nanoseconds of one iteration, over about `ms` milliseconds of them, at least one. */
  async measure(ms: number): Promise<number> {
    if (this.fastest === 0) await this.warmUp(ms);
    return 1e6 * (await this.time(Math.max(1, Math.round(ms / this.fastest))));
  }

  async close(): Promise<void> {
    await this.work.close?.();
  }

  private async time(iterations: number): Promise<number> {
    const start = performance.now();
    await this.work.run(iterations);
    // A clock that did not move in between is no reason to divide by zero.
    const each = Math.max(performance.now() - start, 1e-6) / iterations;
    this.fastest = this.fastest === 0 ? each : Math.min(this.fastest, each);
    return each;
  }
}
