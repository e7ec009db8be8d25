// Scaled dot-product attention with its gradients: masks of bools and of numbers, causal, grouped heads, any layout.
import { grad, nn, type DType } from 'thalweg';
import { describe, numel, operand, type Operand } from '../array.js';
import type { Family } from '../fuzz.js';
import { computeUnit, expectNear, roundingOf, unitOf } from '../near.js';
import { allowed, Tape, type Node } from '../tape.js';

export const attentionFamily: Family = {
  name: 'attention',
  run(random, note) {
    const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
    const kind = random.pick(['none', 'none', 'causal', 'causal', 'bool', 'float'] as const);
    const E = random.size(random.chance(0.2) ? 80 : 20, 1);
    const Ev = random.chance(0.7) ? E : random.size(40, 1);
    let left = Math.max(1, Math.floor((random.chance(0.03) ? 30_000 : 2500) / (E + Ev)));
    const L = random.size(Math.min(left, 150), 1);
    const S = random.chance(0.5)
      ? Math.min(L, Math.max(1, Math.floor(left / L)))
      : random.size(Math.max(1, Math.floor(left / L)), 1);
    left = Math.max(1, Math.floor(left / (L * S)));
    const group = random.chance(0.2) ? random.int(2, 3) : 1;
    const keyHeads = random.int(1, Math.max(1, Math.min(3, Math.floor(left / group))));
    const heads = keyHeads * group;
    const items = random.int(1, Math.max(1, Math.min(2, Math.floor(left / heads))));
    const scale = random.chance(0.3) ? 0.3 : 1 / Math.sqrt(E);
    // [items, length, heads, features] in memory is what a projection gives.
    const order = (): readonly number[] | undefined => (random.chance(0.4) ? [0, 2, 1, 3] : undefined);
    const make = (shape: number[]): Operand => operand(random, shape, { dtype, expand: false, order: order() });
    const q = make([items, heads, L, E]);
    const k = make([items, keyHeads, S, E]);
    const v = make([items, keyHeads, S, Ev]);
    const g = make([items, heads, L, Ev]);
    const maskShape = random.pick([
      [L, S],
      [items, heads, L, S],
      [items, 1, 1, S],
    ]);
    const mask =
      kind === 'bool'
        ? operand(random, maskShape, { dtype: 'bool', value: (r) => Number(r.chance(0.8)) })
        : kind === 'float'
          ? operand(random, maskShape, { dtype, expand: false, value: (r) => (r.chance(0.1) ? -Infinity : r.normal()) })
          : null;
    note(
      `scaledDotProductAttention(${[q, k, v].map(describe).join(', ')}), ${mask === null ? kind : `mask ${describe(mask)}`}` +
        `, scale ${scale}, gradient ${describe(g)}`,
    );
    const unit = 2 * computeUnit(dtype);
    const tape = new Tape(unit);
    const nodes = [q, k, v].map(({ data }) => Array.from(data, (x) => tape.leaf(x)));
    const withGradient = kind === 'float';
    const maskNodes = withGradient ? Array.from(mask!.data, (x) => tape.leaf(Number.isFinite(x) ? x : 0)) : [];
    const count = tape.values.length;
    const zero = tape.leaf(0);
    const row = (x: number, item: number, head: number, i: number): Node[] => {
      const { shape } = [q, k, v][x];
      const at = ((item * shape[1] + head) * shape[2] + i) * shape[3];
      return nodes[x].slice(at, at + shape[3]);
    };
    const maskAt = (item: number, head: number, i: number, j: number): number => {
      const [mi, mh, ml] = [...new Array<number>(4 - maskShape.length).fill(1), ...maskShape];
      return (((mi === 1 ? 0 : item) * mh + (mh === 1 ? 0 : head)) * ml + (ml === 1 ? 0 : i)) * S + j;
    };
    const outs: Node[] = [];
    for (let item = 0; item < items; item++)
      for (let head = 0; head < heads; head++) {
        const own = Math.floor(head / group);
        const keys = Array.from({ length: S }, (_, j) => row(1, item, own, j));
        const columns = Array.from({ length: Ev }, (_, e) =>
          Array.from({ length: S }, (_r, j) => nodes[2][((item * keyHeads + own) * S + j) * Ev + e]),
        );
        for (let i = 0; i < L; i++) {
          const query = row(0, item, head, i);
          const seen: number[] = [];
          for (let j = 0; j < S; j++) {
            if (kind === 'causal' && j > i) continue;
            if (
              mask !== null &&
              (kind === 'bool'
                ? mask.data[maskAt(item, head, i, j)] === 0
                : mask.data[maskAt(item, head, i, j)] === -Infinity)
            )
              continue;
            seen.push(j);
          }
          if (seen.length === 0) {
            for (let e = 0; e < Ev; e++) outs.push(zero);
            continue;
          }
          const scores = seen.map((j) => {
            const product = tape.scale(tape.dot(query, keys[j]), scale);
            return withGradient ? tape.sum([product, maskNodes[maskAt(item, head, i, j)]]) : product;
          });
          // The peak is a constant: it cancels, in derivatives too.
          const peak = scores.reduce((top, s) => Math.max(top, tape.values[s]), -Infinity);
          const powers = scores.map((s) =>
            tape.map(
              s,
              (x) => Math.exp(x - peak),
              (_, y) => y,
            ),
          );
          const share = tape.map(
            tape.sum(powers),
            (x) => 1 / x,
            (x) => -1 / (x * x),
          );
          for (let e = 0; e < Ev; e++)
            outs.push(
              tape.mul(
                tape.dot(
                  powers,
                  seen.map((j) => columns[e][j]),
                ),
                share,
              ),
            );
        }
      }
    const operands = withGradient ? [q, k, v, mask!] : [q, k, v];
    const inputs = operands.map(({ tensor }) => tensor.detach().requiresGrad_());
    const out = nn.functional.scaledDotProductAttention(inputs[0], inputs[1], inputs[2], {
      attnMask: withGradient ? inputs[3] : mask === null ? null : mask.tensor,
      isCausal: kind === 'causal',
      scale,
      enableGqa: group > 1,
    });
    const data = outs.map((node) => tape.values[node]);
    const bound = outs.map((node, i) => 2 * tape.errors[node] + roundingOf(dtype, data[i]));
    expectNear('the result', out, { shape: g.shape, data, bound, dtype });
    const found = grad(out, inputs, { gradOutputs: [g.tensor] });
    const { values, sizes } = tape.derivatives(
      outs.map((node, i) => [node, g.data[i]] as const),
      count,
    );
    // The row sums of g * out come from the result as it is stored.
    const relative =
      unit * (allowed + 4 * Math.sqrt(S + L) + 4 * Math.sqrt(E + Ev)) +
      (unitOf(dtype) > 2 ** -24 ? 2 * unitOf(dtype) : 0);
    let from = 0;
    operands.forEach(({ shape }, i) => {
      const to = from + numel(shape);
      const own = values.slice(from, to);
      const off = sizes.slice(from, to).map((size, j) => relative * size + roundingOf(dtype, own[j]));
      expectNear(`the gradient of ${['q', 'k', 'v', 'the mask'][i]}`, found[i], {
        shape,
        data: own,
        bound: off,
        dtype,
      });
      from = to;
    });
  },
};
