// Updates of parameters: many small ones and few large ones, each step one native call.
import { expr, noGrad, optim, program, randn } from 'thalweg';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

const programRow: Row = {
  name: 'program/8x256',
  what: 'p - lr * g over 8 parameters of 256 float32, one program',
  unit: 'ns',
  prepare() {
    const p = Array.from({ length: 8 }, () => randn([256]));
    const g = p.map(() => randn([256]));
    const sgd = program({
      name: 'sgd',
      tensors: ['p', 'g'],
      scalars: ['lr'],
      update: (v) => ({ p: expr.sub(v.p, expr.mul(v.lr, v.g)) }),
    });
    return repeat(() => noGrad(() => sgd.run({ p, g }, { lr: 1e-6 })));
  },
};

function adam(name: string, count: number, size: number, unit: Row['unit'], note = ''): Row {
  return {
    name,
    what: `optim.Adam.step() over ${count} ${count === 1 ? 'parameter' : 'parameters'} of ${size.toLocaleString('en-US')} float32${note}`,
    unit,
    // p, g, m and v are read, p, m and v written.
    bytes: 28 * count * size,
    prepare() {
      const params = Array.from({ length: count }, () => randn([size], { requiresGrad: true }));
      for (const p of params) p.grad = randn([size]);
      const adam = new optim.Adam(params, { lr: 1e-6 });
      return repeat(() => adam.step());
    },
  };
}

const fused = ' (PyTorch: fused)';
const foreach = ' (PyTorch: its default)';

export const optimRows: readonly Row[] = [
  programRow,
  adam('adam/8x256', 8, 256, 'us', fused),
  adam('adam/200x10k', 200, 10_000, 'us', fused),
  adam('adam/200x10k/foreach', 200, 10_000, 'us', foreach),
  adam('adam/1x10M', 1, 10_000_000, 'ms', fused),
  adam('adam/1x10M/foreach', 1, 10_000_000, 'ms', foreach),
];
