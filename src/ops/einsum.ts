// Sums of products in Einstein's notation. Every pairwise contraction is one batched matrix product.
import { autocastState } from '../amp/state.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { clone } from './copy.js';
import { checkTensor } from './define.js';
import { matmul } from './matmul.js';
import { diagonalOfLast } from './products.js';
import { sum } from './reduce.js';
import { permute, reshape, squeeze, unsqueeze } from './view.js';

// A label is a letter, or `.0`, `.1` ... for the dimensions of the ellipsis, counted from the right.
type Label = string;

/** An operand with a label for each dimension. */
interface Term {
  readonly tensor: Tensor;
  readonly labels: readonly Label[];
}

interface Equation {
  readonly inputs: readonly (readonly Label[])[];
  readonly output: readonly Label[];
}

/** Letters and at most one ellipsis of one subscript. */
function tokens(op: string, text: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (/[a-zA-Z]/.test(char)) found.push(char);
    else if (text.startsWith('...', i)) {
      if (found.includes('...')) throw new ArgumentError(`${op}: '${text}' has more than one ellipsis.`);
      found.push('...');
      i += 2;
    } else {
      throw new ArgumentError(`${op}: '${char}' in '${text}' is no subscript; subscripts are letters and '...'.`);
    }
  }
  return found;
}

function parse(op: string, equation: string, operands: readonly Tensor[]): Equation {
  const sides = equation.replaceAll(' ', '').split('->');
  if (sides.length > 2) throw new ArgumentError(`${op}: '${equation}' has more than one '->'.`);
  const subscripts = sides[0].split(',').map((text) => tokens(op, text));
  if (subscripts.length !== operands.length) {
    throw new ArgumentError(
      `${op}: '${equation}' has subscripts for ${subscripts.length} operands, given: ${operands.length}.`,
    );
  }
  let ellipsis = 0;
  const inputs = subscripts.map((found, i) => {
    const { shape } = operands[i];
    const letters = found.filter((token) => token !== '...').length;
    const rest = shape.length - letters;
    if (rest < 0 || (rest > 0 && !found.includes('...'))) {
      throw new ShapeError(
        `${op}: '${sides[0].split(',')[i]}' has ${letters} subscripts, operand ${i} of shape ${formatShape(shape)} has ` +
          `${shape.length} dimensions.`,
      );
    }
    ellipsis = Math.max(ellipsis, found.includes('...') ? rest : 0);
    return found.flatMap((token) => (token === '...' ? dots(rest) : [token]));
  });
  const all = new Set(inputs.flat());
  if (sides.length === 1) {
    // Without an output: the ellipsis, then the letters that occur once, in alphabetical order (capitals first).
    const counts = new Map<Label, number>();
    for (const label of inputs.flat()) counts.set(label, (counts.get(label) ?? 0) + 1);
    const once = [...all].filter((label) => !label.startsWith('.') && counts.get(label) === 1).sort();
    return { inputs, output: [...dots(ellipsis), ...once] };
  }
  const output = tokens(op, sides[1]).flatMap((token) => (token === '...' ? dots(ellipsis) : [token]));
  output.forEach((label, i) => {
    if (output.indexOf(label) !== i)
      throw new ArgumentError(`${op}: '${label}' occurs twice in the output '${sides[1]}'.`);
    if (!all.has(label)) throw new ArgumentError(`${op}: '${label}' of the output '${sides[1]}' is in no operand.`);
  });
  return { inputs, output };
}

const dots = (count: number): Label[] => Array.from({ length: count }, (_, i) => `.${count - 1 - i}`);

/** The size of each label; a size of 1 broadcasts. */
function sizesOf(op: string, inputs: Equation['inputs'], operands: readonly Tensor[]): Map<Label, number> {
  const sizes = new Map<Label, number>();
  inputs.forEach((labels, i) =>
    labels.forEach((label, d) => {
      const size = operands[i].shape[d];
      const known = sizes.get(label);
      if (known !== undefined && known !== size && known !== 1 && size !== 1) {
        const name = label.startsWith('.') ? "a dimension of '...'" : `'${label}'`;
        throw new ShapeError(
          `${op}: ${name} has size ${size} in operand ${i} of shape ${formatShape(operands[i].shape)}, but ${known} before.`,
        );
      }
      if (known === undefined || known === 1) sizes.set(label, size);
    }),
  );
  return sizes;
}

/** Diagonals of repeated labels taken, dimensions of size 1 that broadcast removed. */
function simplify(op: string, tensor: Tensor, labels: readonly Label[], sizes: ReadonlyMap<Label, number>): Term {
  let x = tensor;
  let list = [...labels];
  for (const label of new Set(labels)) {
    for (;;) {
      const first = list.indexOf(label);
      const second = list.indexOf(label, first + 1);
      if (second < 0) break;
      if (x.shape[first] !== x.shape[second]) {
        throw new ShapeError(
          `${op}: '${label}' has sizes ${x.shape[first]} and ${x.shape[second]} in an operand of shape ${formatShape(tensor.shape)}.`,
        );
      }
      const others = list.map((_, d) => d).filter((d) => d !== first && d !== second);
      const last = permute(x, [...others, first, second]);
      x = x.shape[first] === 0 ? sum(last, -1) : diagonalOfLast(last);
      list = [...others.map((d) => list[d]), label];
    }
  }
  const kept = list.map((label, d) => x.shape[d] === sizes.get(label));
  for (let d = list.length - 1; d >= 0; d--) if (kept[d] === false) x = squeeze(x, d);
  return { tensor: x, labels: list.filter((_, d) => kept[d]) };
}

/** Sums over labels that nobody else needs. */
function sumOut({ tensor, labels }: Term, needed: ReadonlySet<Label>): Term {
  const dims = labels.map((_, d) => d).filter((d) => !needed.has(labels[d]));
  if (dims.length === 0) return { tensor, labels };
  return { tensor: sum(tensor, dims), labels: labels.filter((label) => needed.has(label)) };
}

const arranged = ({ tensor, labels }: Term, order: readonly Label[]): Tensor =>
  order.every((label, d) => label === labels[d])
    ? tensor
    : permute(
        tensor,
        order.map((label) => labels.indexOf(label)),
      );

/** The product of two terms, summed over the labels that are not needed any more. */
function contract(first: Term, second: Term, needed: ReadonlySet<Label>): Term {
  const inBoth = (label: Label): boolean => first.labels.includes(label) && second.labels.includes(label);
  const a = sumOut(first, new Set([...needed, ...second.labels]));
  const b = sumOut(second, new Set([...needed, ...first.labels]));
  const batch = a.labels.filter((label) => inBoth(label) && needed.has(label));
  const summed = a.labels.filter((label) => inBoth(label) && !needed.has(label));
  const left = a.labels.filter((label) => !inBoth(label));
  const right = b.labels.filter((label) => !inBoth(label));
  const labels = [...batch, ...left, ...right];
  const size = (term: Term, list: readonly Label[]): number[] =>
    list.map((label) => term.tensor.shape[term.labels.indexOf(label)]);
  const shape = [...size(a, batch), ...size(a, left), ...size(b, right)];
  if (summed.length === 0) {
    // Nothing to add up: an elementwise product, without the copies that a matrix product could need.
    let x = arranged(a, [...batch, ...left]);
    let y = arranged(b, [...batch, ...right]);
    for (let i = 0; i < right.length; i++) x = unsqueeze(x, -1);
    for (let i = 0; i < left.length; i++) y = unsqueeze(y, batch.length);
    return { tensor: mul(x, y), labels };
  }
  const count = (term: Term, list: readonly Label[]): number => size(term, list).reduce((n, s) => n * s, 1);
  const [B, L, R, K] = [count(a, batch), count(a, left), count(b, right), count(a, summed)];
  const x = reshape(arranged(a, [...batch, ...left, ...summed]), [B, L, K]) as Tensor;
  const y = reshape(arranged(b, [...batch, ...summed, ...right]), [B, K, R]) as Tensor;
  return { tensor: reshape(matmul(x, y), shape), labels };
}

// ---- the order of contractions

interface Plan {
  readonly cost: number;
  /** Positions in the list of terms; the result goes to its end. */
  readonly pairs: readonly (readonly [number, number])[];
}

/** The labels of a pair's result, and its number of multiplications. */
function paired(
  terms: readonly (readonly Label[])[],
  i: number,
  j: number,
  output: readonly Label[],
  sizes: ReadonlyMap<Label, number>,
): { readonly rest: (readonly Label[])[]; readonly labels: Label[]; readonly cost: number } {
  const rest = terms.filter((_, k) => k !== i && k !== j);
  const needed = new Set([...output, ...rest.flat()]);
  const union = [...new Set([...terms[i], ...terms[j]])];
  return { rest, labels: union.filter((label) => needed.has(label)), cost: volume(union, sizes) };
}

const volume = (labels: readonly Label[], sizes: ReadonlyMap<Label, number>): number =>
  labels.reduce((n, label) => n * sizes.get(label)!, 1);

/** The cheapest order, by trying all: for a few terms. */
function bestPlan(
  terms: readonly (readonly Label[])[],
  output: readonly Label[],
  sizes: ReadonlyMap<Label, number>,
): Plan {
  if (terms.length === 1) return { cost: 0, pairs: [] };
  let best: Plan | null = null;
  for (let i = 0; i < terms.length; i++) {
    for (let j = i + 1; j < terms.length; j++) {
      const { rest, labels, cost } = paired(terms, i, j, output, sizes);
      const later = bestPlan([...rest, labels], output, sizes);
      if (best === null || cost + later.cost < best.cost) {
        best = { cost: cost + later.cost, pairs: [[i, j], ...later.pairs] };
      }
    }
  }
  return best!;
}

/** Always the pair that makes the smallest result compared with its operands (the greedy order of opt_einsum). */
function greedyPlan(
  terms: readonly (readonly Label[])[],
  output: readonly Label[],
  sizes: ReadonlyMap<Label, number>,
): Plan {
  const pairs: (readonly [number, number])[] = [];
  let list = terms;
  while (list.length > 1) {
    let best = { gain: Infinity, cost: Infinity, i: 0, j: 1, next: list };
    for (let i = 0; i < list.length; i++) {
      for (let j = i + 1; j < list.length; j++) {
        const { rest, labels, cost } = paired(list, i, j, output, sizes);
        const gain = volume(labels, sizes) - volume(list[i], sizes) - volume(list[j], sizes);
        if (gain < best.gain || (gain === best.gain && cost < best.cost)) {
          best = { gain, cost, i, j, next: [...rest, labels] };
        }
      }
    }
    pairs.push([best.i, best.j]);
    list = best.next;
  }
  return { cost: 0, pairs };
}

const triesAll = 5;

/**
 * Sums of products in Einstein's notation, as torch.einsum. Each operand has a subscript, a letter for each dimension;
 * letters that are not in the output are summed over.
 *
 * - `'ij,jk->ik'` is a matrix product, `'ii->i'` a diagonal, `'ij->ji'` a transposition, `'bi,bj->bij'` batches of outer
 *   products.
 * - `...` stands for any number of dimensions, which broadcast. Dimensions of size 1 broadcast too.
 * - Without `->` the output has the ellipsis, then the letters that occur once, in alphabetical order.
 *
 * Three operands and more are contracted two at a time: up to 5 in the cheapest order, more in a greedy one.
 *
 * @param operands tensors of one dtype, one after the other or in one array
 * @throws ArgumentError for an equation that is malformed or does not fit the number of operands; ShapeError for sizes that
 * differ; DTypeError for mixed dtypes
 * @example
 * einsum('bhid,bhjd->bhij', q, k); // attention scores
 */
export function einsum<D extends DType>(
  equation: string,
  ...operands: readonly Tensor<Shape, D>[] | [readonly Tensor<Shape, D>[]]
): Tensor<Shape, D> {
  const op = 'einsum';
  if (typeof equation !== 'string') {
    throw new ArgumentError(`${op}: the equation must be a string, got ${typeof equation}.`);
  }
  const list = (operands.length === 1 && Array.isArray(operands[0]) ? operands[0] : operands) as readonly Tensor[];
  if (list.length === 0) throw new ArgumentError(`${op}: expected at least one operand.`);
  list.forEach((operand, i) => {
    checkTensor(op, `operand ${i}`, operand);
    if (operand.dtype !== list[0].dtype && autocastState() === null) {
      throw new DTypeError(`${op}: operand 0 is ${list[0].dtype}, operand ${i} is ${operand.dtype}; convert one.`);
    }
  });
  const { inputs, output } = parse(op, equation, list);
  const sizes = sizesOf(op, inputs, list);
  return tidy(() => {
    let terms: Term[] = list.map((tensor, i) => simplify(op, tensor, inputs[i], sizes));
    // Labels of one operand only are summed over before anything else, by `contract`; the plan is made of what is left.
    terms = terms.map((term, i) =>
      sumOut(term, new Set([...output, ...terms.filter((_, k) => k !== i).flatMap(({ labels }) => labels)])),
    );
    const labels = terms.map((term) => term.labels);
    const plan = (terms.length <= triesAll ? bestPlan : greedyPlan)(labels, output, sizes);
    for (const [i, j] of plan.pairs) {
      const rest = terms.filter((_, k) => k !== i && k !== j);
      const needed = new Set([...output, ...rest.flatMap((term) => term.labels)]);
      terms = [...rest, contract(terms[i], terms[j], needed)];
    }
    const result = arranged(terms[0], output);
    // Never the operand itself or a window on it that later changes would show through.
    return (terms.length === 1 && list.includes(result) ? clone(result) : result) as Tensor<Shape, D>;
  });
}
