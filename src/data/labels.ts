import { ArgumentError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** A class or a group for each sample: a tensor [N], or anything with `length` and elements. */
export type Labels = Tensor | ArrayLike<number | bigint | string | boolean>;

/** Samples by label: a number from 0 for each label, and the samples of each, ascending. */
export interface Classes {
  /** The class of each sample. */
  readonly codes: Int32Array;
  /** The positions of each class. */
  readonly members: readonly number[][];
}

/** Numbers the labels in the order in which they appear. */
export function classesOf(op: string, name: string, labels: Labels, length: number): Classes {
  const values = isTensor(labels) ? labels.dataSync() : labels;
  if (isTensor(labels) && labels.shape.length !== 1)
    throw new ArgumentError(`${op}: ${name} has shape [${labels.shape.join(', ')}], expected [${length}].`);
  if (values?.length !== length)
    throw new ArgumentError(`${op}: there are ${String(values?.length)} ${name} for ${length} samples.`);
  const numbers = new Map<unknown, number>();
  const members: number[][] = [];
  const codes = Int32Array.from({ length }, (_, i) => {
    let code = numbers.get(values[i]);
    if (code === undefined) {
      code = members.length;
      numbers.set(values[i], code);
      members.push([]);
    }
    members[code].push(i);
    return code;
  });
  return { codes, members };
}
