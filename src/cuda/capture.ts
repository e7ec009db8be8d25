// What the rest of the library knows of captured functions (graph.ts): whether one is being captured, which parts of it
// compute numbers anew for each run, and where random numbers come from.
import { ArgumentError } from '../errors.js';
import { native } from '../native.js';

/** Counts the blocks that have been drawn, as Generator of src/ops/random.ts does. */
interface NumberSource {
  take(blocks: number): number;
}

/** A capture under way. @internal */
export interface Capture {
  /** Run again, in shadow, before each launch: they compute scalars of the commands that they enqueued here. */
  readonly dynamic: (() => void)[];
  /** Where random numbers came from, the first block that was drawn, and how many. */
  source: NumberSource | null;
  firstBlock: number;
  blocks: number;
}

let current: Capture | null = null;
let inShadow = false;

/** @internal */
export function setCapture(capture: Capture | null): void {
  current = capture;
}

/** Runs `fn` while the native side compares what it enqueues instead of launching it. @internal */
export function shadowed(graph: number, fn: () => void): void {
  native.graphShadow(graph);
  inShadow = true;
  let done = false;
  try {
    fn();
    done = true;
  } finally {
    inShadow = false;
    // A second failure would hide the first.
    try {
      native.graphShadow(0);
    } catch (error) {
      // eslint-disable-next-line no-unsafe-finally -- only where there is no other
      if (done) throw error;
    }
  }
}

/**
 * Runs a part of a step that computes numbers which are others in each step: an optimizer's update, whose scalars follow
 * from the learning rate and the step count. In a captured function it is run again for each launch, for its numbers only.
 *
 * @internal
 */
export function dynamicPart(run: () => void): void {
  if (current === null || inShadow) {
    run();
    return;
  }
  current.dynamic.push(run);
  native.graphDynamic(true);
  try {
    run();
  } finally {
    native.graphDynamic(false);
  }
}

/** Called for each draw of random numbers. @internal */
export function noteDraw(source: NumberSource, start: number, blocks: number): void {
  if (current === null) return;
  if (current.source === null) {
    current.source = source;
    current.firstBlock = start;
  } else if (current.source !== source) {
    throw new ArgumentError('cuda.graph: a captured function draws random numbers from two generators; use one.');
  }
  current.blocks = start + blocks - current.firstBlock;
}
