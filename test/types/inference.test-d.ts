// What the compiler knows of the results of ops and layers, and what it refuses.
import { describe, expectTypeOf, test } from 'vitest';
import { cat, lerp, nn, randn, stack, tensor, where, zeros, type Shape, type Tensor } from '../../src/index.js';

declare const x: Tensor<readonly [2, 3, 4], 'float32'>;
declare const unknownRank: Tensor<Shape, 'float32'>;
declare const unknownDim: Tensor<readonly [number, 3], 'float32'>;
declare const several: Tensor<readonly [2, 3], 'float32'>[];
declare const n: number;
declare const flag: boolean;

const F = nn.functional;

/** Says that a tensor has a shape; exactly, not only at least. */
function shape<S extends Shape>(...of: readonly Tensor<S>[]) {
  return expectTypeOf(of[0].shape);
}

describe('reductions', () => {
  test('along a dimension', () => {
    shape(x.sum(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.mean(-1)).toEqualTypeOf<readonly [2, 3]>();
    shape(x.prod(0)).toEqualTypeOf<readonly [3, 4]>();
    shape(x.amax(1, { keepDim: true })).toEqualTypeOf<readonly [2, 1, 4]>();
    shape(x.amin([0, 2])).toEqualTypeOf<readonly [3]>();
    shape(x.argmax(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.argmin(1, { keepDim: true })).toEqualTypeOf<readonly [2, 1, 4]>();
    shape(x.var(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.std([1, 2], { correction: 0, keepDim: true })).toEqualTypeOf<readonly [2, 1, 1]>();
    shape(x.logsumexp(-1)).toEqualTypeOf<readonly [2, 3]>();
    shape(x.norm(2, 1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.nansum(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.nanmean(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.countNonzero(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.all(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.any(1)).toEqualTypeOf<readonly [2, 4]>();
    shape(x.max(1).values).toEqualTypeOf<readonly [2, 4]>();
    shape(x.median(1).indices).toEqualTypeOf<readonly [2, 4]>();
    shape(x.mode(1).values).toEqualTypeOf<readonly [2, 4]>();
    shape(x.kthvalue(1, 0).values).toEqualTypeOf<readonly [3, 4]>();
    shape(x.aminmax(1).min).toEqualTypeOf<readonly [2, 4]>();
  });

  test('over all, and where little is known', () => {
    shape(x.sum()).toEqualTypeOf<readonly []>();
    shape(x.median()).toEqualTypeOf<readonly []>();
    shape(unknownRank.mean()).toEqualTypeOf<readonly []>();
    shape(unknownRank.mean(3)).toEqualTypeOf<Shape>();
    shape(x.sum(n)).toEqualTypeOf<readonly [number, number]>();
    shape(unknownDim.sum(1)).toEqualTypeOf<readonly [number]>();
    shape(x.sum(1, { keepDim: flag })).toEqualTypeOf<Shape>();
  });

  test('scans and sorting', () => {
    shape(x.cumsum(1)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.cumprod(1)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.logcumsumexp(1)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.cummax(1).values).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.sort(1).indices).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.argsort()).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.topk(2).values).toEqualTypeOf<readonly [2, 3, 2]>();
    shape(x.topk(n, 0).values).toEqualTypeOf<readonly [number, 3, 4]>();
  });
});

describe('joining and cutting', () => {
  test('cat', () => {
    shape(cat([zeros([2, 3]), zeros([4, 3])])).toEqualTypeOf<readonly [6, 3]>();
    shape(cat([zeros([2, 3]), zeros([2, 97]), zeros([2, 1])], -1)).toEqualTypeOf<readonly [2, 101]>();
    shape(cat([zeros([2, n]), zeros([4, 3])])).toEqualTypeOf<readonly [6, 3]>();
    shape(cat([zeros([n, 3]), zeros([4, 3])])).toEqualTypeOf<readonly [number, 3]>();
    shape(cat([zeros([2, 3]), unknownRank], 1)).toEqualTypeOf<readonly [2, number]>();
    shape(cat([unknownRank, zeros([2, 3])], 1)).toEqualTypeOf<Shape>();
    shape(cat([zeros([2, 3]), zeros([4, 3])], n)).toEqualTypeOf<readonly [number, number]>();
    shape(cat(several)).toEqualTypeOf<readonly [number, 3]>();
    shape(cat([unknownRank, unknownRank])).toEqualTypeOf<Shape>();
    shape(cat([] as Tensor[])).toEqualTypeOf<Shape>();
    expectTypeOf(cat([x, x]).dtype).toEqualTypeOf<'float32'>();
    // @ts-expect-error the other dimensions differ
    void (() => cat([zeros([2, 3]), zeros([2, 4])]));
    // @ts-expect-error the ranks differ
    void (() => cat([zeros([2, 3]), zeros([2])]));
    // @ts-expect-error there is no dimension 2
    void (() => cat([zeros([2, 3]), zeros([2, 3])], 2));
    // @ts-expect-error scalars cannot be joined
    void (() => cat([tensor(1), tensor(2)]));
  });

  test('stack', () => {
    shape(stack([zeros([2, 3]), zeros([2, 3])])).toEqualTypeOf<readonly [2, 2, 3]>();
    shape(stack([zeros([2, 3]), zeros([2, 3]), zeros([n, 3])], -1)).toEqualTypeOf<readonly [2, 3, 3]>();
    shape(stack([tensor(1), tensor(2)])).toEqualTypeOf<readonly [2]>();
    shape(stack(several, 1)).toEqualTypeOf<readonly [2, number, 3]>();
    shape(stack([unknownRank, unknownRank])).toEqualTypeOf<Shape>();
    // @ts-expect-error the shapes differ
    void (() => stack([zeros([2, 3]), zeros([4, 3])]));
  });

  test('parts', () => {
    expectTypeOf(x.chunk(2, -1)).toEqualTypeOf<Tensor<readonly [2, 3, 2], 'float32'>[]>();
    expectTypeOf(x.chunk(3, -1)).toEqualTypeOf<Tensor<readonly [2, 3, number], 'float32'>[]>();
    expectTypeOf(x.split(2, 2)).toEqualTypeOf<Tensor<readonly [2, 3, 2], 'float32'>[]>();
    expectTypeOf(x.split(3, 2)).toEqualTypeOf<Tensor<readonly [2, 3, number], 'float32'>[]>();
    expectTypeOf(x.split([1, 3], 2)).toEqualTypeOf<Tensor<readonly [2, 3, number], 'float32'>[]>();
    expectTypeOf(x.split(n, n)).toEqualTypeOf<Tensor<readonly [number, number, number], 'float32'>[]>();
    expectTypeOf(unknownRank.chunk(2)).toEqualTypeOf<Tensor<Shape, 'float32'>[]>();
    expectTypeOf(x.unbind()).toEqualTypeOf<Tensor<readonly [3, 4], 'float32'>[]>();
    expectTypeOf(x.unbind(-1)).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>[]>();
    // @ts-expect-error there is no dimension 3
    void (() => x.chunk(2, 3));
  });

  test('copies', () => {
    shape(x.repeat([1, 2, 3])).toEqualTypeOf<readonly [2, 6, 12]>();
    shape(x.repeat([5, 1, 1, 1])).toEqualTypeOf<readonly [5, 2, 3, 4]>();
    shape(x.repeat([n, 1, 1])).toEqualTypeOf<readonly [number, 3, 4]>();
    shape(x.tile([2])).toEqualTypeOf<readonly [2, 3, 8]>();
    shape(unknownRank.repeat([2, 2])).toEqualTypeOf<Shape>();
    // @ts-expect-error too few counts
    void (() => x.repeat([2]));
  });
});

describe('changes of shape', () => {
  test('reshape and its like', () => {
    shape(x.reshape([6, -1])).toEqualTypeOf<readonly [6, 4]>();
    shape(x.reshape([-1])).toEqualTypeOf<readonly [24]>();
    shape(x.view([4, 6])).toEqualTypeOf<readonly [4, 6]>();
    shape(unknownDim.reshape([-1, 1, 3])).toEqualTypeOf<readonly [number, 1, 3]>();
    shape(x.reshape([n, 4])).toEqualTypeOf<readonly [number, 4]>();
    shape(x.flatten()).toEqualTypeOf<readonly [24]>();
    shape(x.flatten(1)).toEqualTypeOf<readonly [2, 12]>();
    shape(x.transpose(0, -1)).toEqualTypeOf<readonly [4, 3, 2]>();
    shape(x.permute([2, 0, 1])).toEqualTypeOf<readonly [4, 2, 3]>();
    shape(x.mT()).toEqualTypeOf<readonly [2, 4, 3]>();
    shape(x.unsqueeze(-1)).toEqualTypeOf<readonly [2, 3, 4, 1]>();
    shape(x.unsqueeze(1).squeeze(1)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.narrow(1, 0, 2)).toEqualTypeOf<readonly [2, 2, 4]>();
    shape(x.select(1, 0)).toEqualTypeOf<readonly [2, 4]>();
    shape(zeros([1, 3]).expand([5, -1])).toEqualTypeOf<readonly [5, 3]>();
    // @ts-expect-error 24 elements do not make 25
    void (() => x.reshape([5, 5]));
    // @ts-expect-error 24 elements cannot be divided by 5
    void (() => x.reshape([5, -1]));
  });

  test('what keeps a shape', () => {
    const mask = x.gt(0);
    shape(x.flip(1)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.roll(1, 0)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.tril()).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.triu(1)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.maskedFill(mask, 0)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.clamp({ min: 0 })).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.scatter(0, zeros([2, 3, 4], { dtype: 'int64' }), 1)).toEqualTypeOf<readonly [2, 3, 4]>();
    for (const y of [F.relu(x), F.gelu(x), F.softmax(x, -1), F.logSoftmax(x, -1), F.dropout(x), F.normalize(x)])
      shape(y).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(F.layerNorm(x, 4)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(F.batchNorm(x, null, null, { training: true })).toEqualTypeOf<readonly [2, 3, 4]>();
  });

  test('picking', () => {
    const index = tensor([0, 1, 1, 0], { dtype: 'int64' });
    shape(x.indexSelect(1, index)).toEqualTypeOf<readonly [2, 4, 4]>();
    shape(zeros([5]).gather(0, index)).toEqualTypeOf<readonly [4]>();
    shape(where(x.gt(0), x, 0)).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(F.embedding(zeros([100, 8]), index)).toEqualTypeOf<readonly [4, 8]>();
    shape(F.embedding(zeros([100, 8]), index.reshape([2, 2]))).toEqualTypeOf<readonly [2, 2, 8]>();
    // @ts-expect-error indices are integers
    void (() => F.embedding(zeros([100, 8]), x));
  });
});

describe('arithmetic', () => {
  test('with broadcasting', () => {
    shape(x.add(zeros([3, 1]))).toEqualTypeOf<readonly [2, 3, 4]>();
    shape(x.addcmul(zeros([4]), zeros([5, 1, 1, 1]))).toEqualTypeOf<readonly [5, 2, 3, 4]>();
    shape(lerp(zeros([3, 1]), zeros([4]), 0.5)).toEqualTypeOf<readonly [3, 4]>();
    shape(lerp(zeros([3, 1]), zeros([4]), zeros([2, 1, 1]))).toEqualTypeOf<readonly [2, 3, 4]>();
    // @ts-expect-error [2,3,4] and [2] do not broadcast
    void (() => x.add(zeros([2])));
    // @ts-expect-error [2,3,4] and [2] do not broadcast
    void (() => x.addcmul(zeros([4]), zeros([2])));
  });

  test('products', () => {
    shape(zeros([7, 1, 2, 3]).matmul(zeros([5, 3, 4]))).toEqualTypeOf<readonly [7, 5, 2, 4]>();
    shape(x.matmul(zeros([4]))).toEqualTypeOf<readonly [2, 3]>();
    shape(unknownDim.matmul(zeros([3, 8]))).toEqualTypeOf<readonly [number, 8]>();
    shape(unknownRank.matmul(zeros([3, 8]))).toEqualTypeOf<Shape>();
    shape(F.linear(x, zeros([10, 4]))).toEqualTypeOf<readonly [2, 3, 10]>();
    shape(F.linear(x, unknownRank)).toEqualTypeOf<readonly [2, 3, number]>();
    shape(F.linear(unknownRank, zeros([10, 4]))).toEqualTypeOf<readonly [...number[], 10]>();
    // @ts-expect-error 4 columns, 3 rows
    void (() => x.matmul(zeros([3, 2])));
    // @ts-expect-error 4 features, not 5
    void (() => F.linear(x, zeros([10, 5])));
  });

  test('convolutions', () => {
    const image = randn([8, 3, 32, 32]);
    shape(F.conv2d(image, randn([16, 3, 3, 3]))).toEqualTypeOf<readonly [8, 16, 30, 30]>();
    shape(F.conv2d(image, randn([16, 3, 3, 5]), null, { padding: 'same' })).toEqualTypeOf<readonly [8, 16, 32, 32]>();
    shape(F.conv2d(image, randn([6, 1, 3, 3]), null, { groups: 3, stride: 2, padding: 1 })).toEqualTypeOf<
      readonly [8, 6, 16, 16]
    >();
    shape(F.conv1d(randn([3, 100]), randn([5, 3, 1]))).toEqualTypeOf<readonly [5, 100]>();
    shape(F.convTranspose2d(randn([2, 4, 7, 7]), randn([4, 9, 2, 2]), null, { stride: 2 })).toEqualTypeOf<
      readonly [2, 9, 14, 14]
    >();
    shape(F.conv2d(unknownRank, randn([16, 3, 3, 3]))).toEqualTypeOf<readonly [...number[], 16, number, number]>();
    shape(F.conv2d(image, unknownRank)).toEqualTypeOf<readonly [8, number, number, number]>();
    // @ts-expect-error 3 channels, not 4
    void (() => F.conv2d(image, randn([16, 4, 3, 3])));
  });
});

test('layers', () => {
  const tokens = new nn.Sequential(new nn.Linear(4, 8), new nn.LayerNorm(8), new nn.ReLU(), new nn.Dropout(0.5));
  shape(tokens.forward(x)).toEqualTypeOf<readonly [2, 3, 8]>();
  shape(new nn.LSTM(4, 6, { bidirectional: true }).forward(x)[0]).toEqualTypeOf<readonly [2, 3, 12]>();
  const image = new nn.Sequential(
    new nn.Conv2d(3, 8, 3),
    new nn.BatchNorm2d(8),
    new nn.Flatten(),
    new nn.Linear(288, 5),
  );
  shape(image.forward(randn([7, 3, 8, 8]))).toEqualTypeOf<readonly [7, 5]>();
  shape(image.forward(unknownRank)).toEqualTypeOf<readonly [number, 5]>();
  // @ts-expect-error 8 channels, not 16
  void (() => new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.BatchNorm2d(16)));
  // @ts-expect-error 8 features, not 9
  void (() => new nn.Sequential(new nn.Linear(4, 8), new nn.LayerNorm(9)));
  // @ts-expect-error 4 features, not 5
  void (() => new nn.LSTM(5, 6).forward(x));
});
