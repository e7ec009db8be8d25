// Positions in lists of modules and parameters.
import { ArgumentError, IndexError } from '../errors.js';

/**
 * The position that an index means; negative ones count from the end.
 *
 * @throws ArgumentError unless it is an integer; IndexError if it is out of range
 */
export function position(op: string, index: number, length: number): number {
  if (!Number.isInteger(index)) throw new ArgumentError(`${op}: an index must be an integer, got ${String(index)}.`);
  const i = index < 0 ? index + length : index;
  if (i < 0 || i >= length) throw new IndexError(`${op}: index ${index} is out of range for ${length} items.`);
  return i;
}

/** The item that an index means; see `position`. */
export function itemAt<T>(op: string, items: readonly T[], index: number): T {
  return items[position(op, index, items.length)];
}
