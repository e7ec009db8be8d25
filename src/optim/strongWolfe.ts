// A line search for a step that satisfies the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6):
// enough decrease of the loss, and a slope flat enough. The interpolation and the safeguards are PyTorch's, so that the
// same points are tried.
import type { Tensor } from '../tensor/tensor.js';

/** The loss, its gradient, and the slope along the direction at a step length. */
export interface LinePoint {
  readonly loss: number;
  readonly grad: Tensor;
  readonly slope: number;
}

interface Bracketed extends LinePoint {
  readonly t: number;
}

const sufficientDecrease = 1e-4;
const curvature = 0.9;
const toleranceChange = 1e-9;

/** The minimum of the cubic through two points with their slopes, within bounds. */
function cubicMinimum(a: Bracketed, b: Bracketed, low = Math.min(a.t, b.t), high = Math.max(a.t, b.t)): number {
  const [x, y] = a.t <= b.t ? [a, b] : [b, a];
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const minimum = y.t - (y.t - x.t) * ((y.slope + d2 - d1) / (y.slope - x.slope + 2 * d2));
  return Math.min(Math.max(minimum, low), high);
}

/**
 * @param at evaluates a step length
 * @param t the length that is tried first
 * @param origin the point at length 0
 * @param dNorm the largest component of the direction, for the least width of a bracket
 * @param maxSteps evaluations after the first
 */
export function strongWolfe(
  at: (t: number) => LinePoint,
  t: number,
  origin: LinePoint,
  dNorm: number,
  maxSteps: number,
): { t: number; loss: number; grad: Tensor } {
  const evaluate = (length: number): Bracketed => ({ t: length, ...at(length) });
  const tooHigh = (p: Bracketed): boolean => p.loss > origin.loss + sufficientDecrease * p.t * origin.slope;
  const flat = (p: Bracketed): boolean => Math.abs(p.slope) <= -curvature * origin.slope;

  // Grow until an interval holds a point that satisfies the conditions.
  let previous: Bracketed = { t: 0, ...origin };
  let point = evaluate(t);
  let steps = 0;
  let bracket: [Bracketed, Bracketed] | null = null;
  while (steps < maxSteps) {
    if (tooHigh(point) || (steps > 1 && point.loss >= previous.loss)) {
      bracket = [previous, point];
      break;
    }
    if (flat(point)) return point;
    if (point.slope >= 0) {
      bracket = [previous, point];
      break;
    }
    const next = cubicMinimum(previous, point, point.t + 0.01 * (point.t - previous.t), point.t * 10);
    previous = point;
    point = evaluate(next);
    steps++;
  }
  bracket ??= [{ t: 0, ...origin }, point];

  // Shrink it. low has the smaller loss of the two.
  let stuck = false;
  let low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  while (steps < maxSteps) {
    const [a, b] = bracket;
    const min = Math.min(a.t, b.t);
    const max = Math.max(a.t, b.t);
    if ((max - min) * dNorm < toleranceChange) break;
    let trial = cubicMinimum(a, b);
    // Twice in a row close to an end, or at it: move a tenth of the interval inwards.
    const margin = 0.1 * (max - min);
    if (Math.min(max - trial, trial - min) < margin) {
      if (stuck || trial >= max || trial <= min) {
        trial = Math.abs(trial - max) < Math.abs(trial - min) ? max - margin : min + margin;
        stuck = false;
      } else stuck = true;
    } else stuck = false;
    point = evaluate(trial);
    steps++;
    const high = 1 - low;
    if (tooHigh(point) || point.loss >= bracket[low].loss) {
      bracket[high] = point;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
    } else {
      const done = flat(point);
      if (!done && point.slope * (bracket[high].t - bracket[low].t) >= 0) bracket[high] = bracket[low];
      bracket[low] = point;
      if (done) break;
    }
  }
  return bracket[low];
}
