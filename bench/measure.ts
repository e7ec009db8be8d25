// Timing of a row's work.
import type { Case } from './rows/row.js';

// Warming up takes as long as this many measurements.
const settleRuns = 25;

/** A case that knows how many iterations make a measurement. */
export class Measured {
  /** Milliseconds of an iteration at its fastest so far; 0 before the first. */
  private fastest = 0;

  constructor(private readonly work: Case) {}

  /**
   * Doubles the number of iterations until a run is long enough to be told from the clock's noise, and then repeats it until
   * the JIT compiler has had time to settle: a training step of milliseconds gets faster for some hundred steps. Gives the
   * nanoseconds of an iteration.
   */
  async warmUp(ms: number): Promise<number> {
    const end = performance.now() + settleRuns * ms;
    // The first run of all makes caches and pages, and says nothing.
    await this.time(1);
    this.fastest = 0;
    let iterations = 1;
    while ((await this.time(iterations)) * iterations < ms / 2) iterations *= 2;
    while (performance.now() < end) await this.time(iterations);
    return 1e6 * this.fastest;
  }

  /** Nanoseconds of one iteration, over about `ms` milliseconds of them, at least one. */
  async measure(ms: number): Promise<number> {
    if (this.fastest === 0) await this.warmUp(ms);
    return 1e6 * (await this.time(Math.max(1, Math.round(ms / this.fastest))));
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
