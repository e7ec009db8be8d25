// Updates of many small parameters: all of them in one native call.
import { expr, noGrad, optim, program, randn, synchronize } from 'thalweg';
import type { Row } from './row.js';

const count = 8;
const shape = [256] as const;

const programRow: Row = {
  name: 'program/8x256',
  what: 'p - lr * g over 8 parameters of 256 float32, one program',
  unit: 'ns',
  prepare() {
    const p = Array.from({ length: count }, () => randn(shape));
    const g = p.map(() => randn(shape));
    const sgd = program({
      name: 'sgd',
      tensors: ['p', 'g'],
      scalars: ['lr'],
      update: (v) => ({ p: expr.sub(v.p, expr.mul(v.lr, v.g)) }),
    });
    return {
      run(iterations) {
        noGrad(() => {
          for (let i = 0; i < iterations; i++) sgd.run({ p, g }, { lr: 1e-6 });
        });
        synchronize();
      },
    };
  },
};

const adamRow: Row = {
  name: 'adam/8x256',
  what: 'optim.Adam.step() over 8 parameters of 256 float32',
  unit: 'ns',
  prepare() {
    const params = Array.from({ length: count }, () => randn(shape, { requiresGrad: true }));
    for (const p of params) p.grad = randn(shape);
    const adam = new optim.Adam(params, { lr: 1e-6 });
    return {
      run(iterations) {
        for (let i = 0; i < iterations; i++) adam.step();
        synchronize();
      },
    };
  },
};

export const optimRows: readonly Row[] = [programRow, adamRow];
