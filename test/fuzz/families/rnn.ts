// Recurrent layers over sequences: LSTM, GRU and plain cells, one direction or both, packed or not, with gradients.
import { grad, nn, noGrad, type DType, type Tensor } from 'thalweg';
import { describe, numel, operand, type Operand } from '../array.js';
import type { Family } from '../fuzz.js';
import { computeUnit, expectNear, roundingOf } from '../near.js';
import { allowed, Tape, type Node } from '../tape.js';

type Packed = Parameters<typeof nn.utils.rnn.padPackedSequence>[0];
type Cell = 'lstm' | 'gru' | 'tanh' | 'relu';
const gatesOf = { lstm: 4, gru: 3, tanh: 1, relu: 1 } as const;

interface State {
  readonly h: readonly Node[];
  readonly c: readonly Node[];
}

/** One step of one sequence; weights are rows of [gates H, inputs] and [gates H, H]. */
function step(
  tape: Tape,
  cell: Cell,
  x: readonly Node[],
  { h, c }: State,
  w: readonly (readonly Node[])[],
  u: readonly (readonly Node[])[],
  b: readonly Node[],
  d: readonly Node[],
): State {
  const H = h.length;
  const own = (g: number, j: number): Node => tape.dot(x, w[g * H + j], b.length === 0 ? [] : [b[g * H + j]]);
  const carried = (g: number, j: number): Node => tape.dot(h, u[g * H + j], d.length === 0 ? [] : [d[g * H + j]]);
  const both = (g: number, j: number): Node => tape.sum([own(g, j), carried(g, j)]);
  const units = h.map((_, j) => j);
  if (cell === 'tanh' || cell === 'relu') return { h: units.map((j) => tape[cell](both(0, j))), c };
  if (cell === 'gru')
    return {
      h: units.map((j) => {
        const r = tape.sigmoid(both(0, j));
        const z = tape.sigmoid(both(1, j));
        const n = tape.tanh(tape.dot([r], [carried(2, j)], [own(2, j)]));
        return tape.dot([tape.rest(z), z], [n, h[j]]);
      }),
      c,
    };
  const next = units.map((j) => {
    const [i, f, o] = [0, 1, 3].map((g) => tape.sigmoid(both(g, j)));
    const g = tape.tanh(both(2, j));
    const cell = tape.dot([f, i], [c[j], g]);
    return { h: tape.mul(o, tape.tanh(cell)), c: cell };
  });
  return { h: next.map((n) => n.h), c: next.map((n) => n.c) };
}

export const rnnFamily: Family = {
  name: 'rnn',
  run(random, note) {
    const cell = random.pick<Cell>(['lstm', 'lstm', 'gru', 'gru', 'tanh', 'relu']);
    const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float64']);
    const G = gatesOf[cell];
    const H = random.size(random.chance(0.1) ? 65 : 18, 1);
    const I = random.size(random.chance(0.1) ? 65 : 18, 1);
    const left = Math.max(1, Math.floor(5_000 / (G * H * (I + H))));
    const B = random.size(Math.min(left, 33), 1);
    const T = random.size(Math.max(1, Math.min(Math.floor(left / B), 12)), 1);
    const bias = random.chance(0.8);
    const both = random.chance(0.3);
    const packed = random.chance(0.4);
    // Weights that do not let states, and with them errors, grow.
    const weightsOf = (shape: number[], size: number): Operand =>
      operand(random, shape, { dtype, plain: true, value: (r) => ((2 * r.next() - 1) * 1.5) / size });
    const directions = both ? 2 : 1;
    const parameters = Array.from({ length: directions }, () => [
      weightsOf([G * H, I], Math.sqrt(I)),
      weightsOf([G * H, H], H),
      ...(bias ? [weightsOf([G * H], 2), weightsOf([G * H], 2)] : []),
    ]);
    const x = operand(random, [T, B, I], { dtype, expand: false });
    const h0 = operand(random, [directions, B, H], { dtype, expand: false });
    const c0 = operand(random, [directions, B, H], { dtype, expand: false });
    const lengths = Array.from({ length: B }, () => (packed ? random.int(1, T) : T)).sort((a, b) => b - a);
    if (packed) lengths[0] = T;
    note(
      `${cell}(${I}, ${H})${bias ? '' : ' without bias'}${both ? ' both ways' : ''} of ${describe(x)}` +
        `${packed ? `, lengths ${lengths.join()}` : ''}, h0 ${describe(h0)}`,
    );

    const options = { bias, bidirectional: both };
    const module =
      cell === 'lstm'
        ? new nn.LSTM(I, H, options)
        : cell === 'gru'
          ? new nn.GRU(I, H, options)
          : new nn.RNN(I, H, { ...options, nonlinearity: cell });
    module.to(dtype);
    const names = [...module.stateDict().keys()];
    const flat = parameters.flat();
    noGrad(() => module.loadStateDict(new Map(names.map((name, i) => [name, flat[i].tensor]))));
    const inputs = [x, h0, ...(cell === 'lstm' ? [c0] : [])].map(({ tensor }) => tensor.detach().requiresGrad_());
    const [input, ...states] = inputs;
    const given = packed ? nn.utils.rnn.packPaddedSequence(input, lengths) : input;
    const run = module.forward.bind(module) as (
      input: unknown,
      state: unknown,
    ) => [output: Tensor | Packed, state: Tensor | [Tensor, Tensor]];
    const [output, last] = run(given, cell === 'lstm' ? states : states[0]);
    const y = packed ? nn.utils.rnn.padPackedSequence(output as Packed)[0] : (output as Tensor);
    const [hN, cN] = cell === 'lstm' ? (last as [Tensor, Tensor]) : [last as Tensor, null];

    // The reference: leaves in the order in which gradients are compared.
    const tape = new Tape(2 * computeUnit(dtype));
    const leaves = [x, h0, ...(cell === 'lstm' ? [c0] : []), ...flat];
    const nodes = leaves.map(({ data }) => Array.from(data, (v) => tape.leaf(v)));
    const count = tape.values.length;
    const rowsOf = (list: readonly Node[], width: number): Node[][] =>
      Array.from({ length: list.length / width }, (_, i) => list.slice(i * width, (i + 1) * width));
    const xs = rowsOf(nodes[0], I);
    const first = cell === 'lstm' ? 3 : 2;
    const zero = tape.leaf(0);
    const ys = new Array<Node>(T * B * H * directions).fill(zero);
    const finals: State[][] = [];
    for (let d = 0; d < directions; d++) {
      const own = nodes.slice(first + d * parameters[0].length, first + (d + 1) * parameters[0].length);
      const [w, u] = [rowsOf(own[0], I), rowsOf(own[1], H)];
      finals.push(
        lengths.map((length, b) => {
          const at = (d * B + b) * H;
          let state: State = {
            h: nodes[1].slice(at, at + H),
            c: cell === 'lstm' ? nodes[2].slice(at, at + H) : [],
          };
          for (let s = 0; s < length; s++) {
            const t = d === 0 ? s : length - 1 - s;
            state = step(tape, cell, xs[t * B + b], state, w, u, own[2] ?? [], own[3] ?? []);
            state.h.forEach((node, j) => (ys[((t * B + b) * directions + d) * H + j] = node));
          }
          return state;
        }),
      );
    }
    const check = (what: string, tensor: Tensor, shape: readonly number[], list: readonly Node[]): void => {
      const data = list.map((node) => tape.values[node]);
      const bound = list.map((node) => tape.errors[node] + roundingOf(dtype, tape.values[node]));
      expectNear(what, tensor, { shape, data, bound, dtype });
    };
    const lastH = finals.flatMap((items) => items.flatMap(({ h }) => h));
    const lastC = finals.flatMap((items) => items.flatMap(({ c }) => c));
    check('the output', y, [T, B, H * directions], ys);
    check('the last state', hN, h0.shape, lastH);
    if (cN !== null) check('the last cell state', cN, c0.shape, lastC);

    const gy = operand(random, [T, B, H * directions], { dtype });
    const gh = operand(random, h0.shape, { dtype });
    const gc = operand(random, c0.shape, { dtype });
    const variables = [...inputs, ...module.parameters()];
    const found = grad([y, hN, ...(cN === null ? [] : [cN])], variables, {
      gradOutputs: [gy.tensor, gh.tensor, ...(cN === null ? [] : [gc.tensor])],
    });
    const seeds: [Node, number][] = [];
    ys.forEach((node, i) => seeds.push([node, gy.data[i]]));
    lastH.forEach((node, i) => seeds.push([node, gh.data[i]]));
    if (cN !== null) lastC.forEach((node, i) => seeds.push([node, gc.data[i]]));
    const { values, sizes } = tape.derivatives(seeds, count);
    // Slopes come from values that were rounded, some of them (1 - y^2) with few digits left.
    const unit = 2 * computeUnit(dtype);
    const relative = unit * (allowed + 8 * T + 2 * Math.sqrt(T * B) + 2 * Math.sqrt(H + I));
    let from = 0;
    leaves.forEach(({ shape }, i) => {
      const to = from + numel(shape);
      const bound = sizes.slice(from, to).map((size) => relative * size + 1e-30);
      const what = i < inputs.length ? `the gradient of input ${i}` : `the gradient of ${names[i - inputs.length]}`;
      expectNear(what, found[i], { shape, data: values.slice(from, to), bound, dtype });
      from = to;
    });
  },
};
