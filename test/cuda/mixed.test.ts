// Operands on two devices in one op: an error that names both, before anything runs, and never a crash.
import { expect, test } from 'vitest';
import {
  addmm,
  cat,
  concat,
  DeviceError,
  einsum,
  expr,
  linalg,
  nn,
  noGrad,
  ones,
  optim,
  program,
  stack,
  tensor,
  where,
  zeros,
  type Device,
  type Tensor,
} from 'thalweg';
import { native, scratchHandles } from '../../src/native.js';
import { identityProgram } from '../../src/ops/launch.js';
import { errorOf } from '../error-of.js';
import { describeDevice, hasTwo } from './available.js';

const F = nn.functional;

const pairs: [Device, Device][] = [
  ['cpu', 'cuda'],
  ['cuda', 'cpu'],
  ...(hasTwo
    ? ([
        ['cuda', 'cuda:1'],
        ['cuda:1', 'cuda'],
      ] as [Device, Device][])
    : []),
];

// Each is given one tensor on the first device and one on the other, both of shape [2, 2] unless it makes its own.
const ops: Record<string, (a: Tensor, b: Tensor) => unknown> = {
  add: (a, b) => a.add(b),
  'add, broadcast': (a, b) => a.add(b.narrow(0, 0, 1)),
  mul: (a, b) => a.mul(b),
  add_: (a, b) => a.add_(b),
  pow: (a, b) => a.pow(b),
  eq: (a, b) => a.eq(b),
  where: (a, b) => where(a.ne(0), a, b),
  matmul: (a, b) => a.matmul(b),
  linear: (a, b) => F.linear(a, b),
  addmm: (a, b) => addmm(a, a, b),
  einsum: (a, b) => einsum('ij,jk->ik', a, b),
  cat: (a, b) => cat([a, b]),
  concat: (a, b) => concat([a, a, b]),
  stack: (a, b) => stack([a, b]),
  gather: (a, b) => a.gather(0, zeros([1, 2], { dtype: 'int64', device: b.device })),
  indexSelect: (a, b) => a.indexSelect(0, zeros([1], { dtype: 'int64', device: b.device })),
  scatterAdd: (a, b) => a.scatterAdd(0, zeros([1, 2], { dtype: 'int64', device: a.device }), b),
  maskedFill: (a, b) => a.maskedFill(zeros([2, 2], { dtype: 'bool', device: b.device }), 1),
  embedding: (a, b) => F.embedding(a, zeros([3], { dtype: 'int64', device: b.device })),
  crossEntropy: (a, b) => F.crossEntropy(a, zeros([2], { dtype: 'int64', device: b.device })),
  mseLoss: (a, b) => F.mseLoss(a, b),
  layerNorm: (a, b) => F.layerNorm(a, [2], { weight: b.narrow(0, 0, 1).reshape([2]) }),
  solve: (a, b) => linalg.solve(a, b),
};

describeDevice('operands on two devices', () => {
  for (const [here, other] of pairs) {
    test.each(Object.keys(ops))(`%s of ${here} and ${other}`, (name) => {
      const a = ones([2, 2], { device: here });
      const b = ones([2, 2], { device: other });
      const message = errorOf(() => ops[name](a, b));
      expect(message).toMatch(/^DeviceError: /);
      expect(message).toMatch(new RegExp(`\\b${here}\\b`));
      expect(message).toMatch(new RegExp(`\\b${other}\\b`));
      // Nothing has been changed by it.
      expect([a.tolist(), b.tolist()]).toEqual([
        [
          [1, 1],
          [1, 1],
        ],
        [
          [1, 1],
          [1, 1],
        ],
      ]);
    });

    test(`whole messages, ${here} and ${other}`, () => {
      const a = ones([2, 2], { device: here });
      const b = ones([2, 2], { device: other });
      expect(errorOf(() => a.add(b))).toBe(`DeviceError: add: a is on ${here}, b on ${other}; move one with to().`);
      expect(errorOf(() => a.matmul(b))).toBe(
        `DeviceError: matmul: a is on ${here}, b on ${other}; move one with to().`,
      );
    });

    test(`a program's tensors, ${here} and ${other}`, () => {
      const axpy = program({
        name: 'axpy',
        tensors: ['x', 'y'],
        scalars: ['a'],
        update: ({ x, y, a }) => ({ y: expr.add(expr.mul(a, x), y) }),
      });
      const x = ones([2], { device: here });
      expect(errorOf(() => axpy.run({ x: [x], y: [ones([2], { device: other })] }, { a: 1 }))).toBe(
        `DeviceError: axpy: y[0] is on ${other}, others on ${here}; move them to one with to().`,
      );
    });

    test(`a gradient elsewhere than its parameter, ${here} and ${other}`, () => {
      const p = ones([2], { device: here, requiresGrad: true });
      for (const make of [
        () => new optim.SGD([p], { lr: 0.1, momentum: 0.9 }),
        () => new optim.Adam([p], { lr: 0.1 }),
        () => new optim.RMSprop([p], { lr: 0.1 }),
      ]) {
        p.grad = ones([2], { device: other });
        const message = errorOf(() => make().step());
        expect(message).toMatch(/^DeviceError: /);
        expect(message).toContain(here);
        expect(message).toContain(other);
      }
      expect(p.tolist()).toEqual([1, 1]);
    });

    test(`a module and its input, ${here} and ${other}`, () => {
      const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1)).to(here);
      expect(errorOf(() => model.forward(ones([4, 2], { device: other })))).toMatch(
        /^DeviceError: .*; move one with to\(\)\.$/,
      );
    });
  }

  test('a scalar tensor is no exception', () => {
    const a = ones([2], { device: 'cuda' });
    expect(errorOf(() => a.mul(tensor(2, { device: 'cpu' })))).toBe(
      'DeviceError: mul: a is on cuda, b on cpu; move one with to().',
    );
  });
});

describeDevice('handles of two devices', () => {
  // What the checks above would have to let pass: native code looks again.
  const a = (): Tensor => ones([2, 2], { device: 'cuda' });
  const b = (): Tensor => ones([2, 2], { device: 'cpu' });

  test('in a kernel', () => {
    expect(() => native.softmax(a()._handle, b()._handle, 0, false)).toThrow(
      new DeviceError('softmax: the operands are on different devices'),
    );
    scratchHandles[0] = a()._handle;
    scratchHandles[1] = b()._handle;
    expect(() => native.map(identityProgram(), 2, 0)).toThrow(
      new DeviceError('map: the operands are on different devices'),
    );
  });

  test('in a copy: only of one shape, dtype and order', () => {
    expect(() => native.copy(a()._handle, zeros([2], { device: 'cpu' })._handle)).toThrow('copy: the shapes differ');
    const unlike = 'copy: between devices both tensors have to be of one dtype, without gaps, in the same order';
    expect(() => native.copy(a()._handle, zeros([2, 2], { device: 'cpu', dtype: 'int32' })._handle)).toThrow(unlike);
    expect(() => native.copy(a()._handle, b().T._handle)).toThrow(unlike);
    expect(() => native.copy(a().T._handle, b()._handle)).toThrow(unlike);
    expect(() => native.copy(a()._handle, ones([2, 1], { device: 'cpu' }).expand([2, 2])._handle)).toThrow(unlike);
    noGrad(() => native.copy(a().T._handle, b().T._handle));
  });

  test("read and written as if they were the CPU's", () => {
    expect(() => native.readSync(a()._handle, 0)).toThrow(
      new DeviceError("read: the tensor is not in the CPU's memory; move it to 'cpu' first"),
    );
    expect(() => native.read(a()._handle, 0, true)).toThrow(DeviceError);
    expect(() => native.write(a()._handle, new Float32Array(4), 0)).toThrow(DeviceError);
  });
});
