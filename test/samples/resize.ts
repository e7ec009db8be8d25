// Rows of padding and interpolation; see sample.ts.
import { nn, type Tensor } from 'thalweg';
import { family, type Run } from './sample.js';

const { rows, samples } = family();
export { samples };

const { interpolate, pad } = nn.functional;
const layer =
  (make: () => nn.AnyModule): Run =>
  ([x]) =>
    make().forward(x) as Tensor;

rows('pad', {
  plain: ([x]) => pad(x, [1, 2], { value: 1.5 }),
  several: ([x]) => pad(x, [1, 0, 2, 1, 0, 1]),
  negative: ([x]) => pad(x, [-1, 2, 1, -2]),
  empty: ([x]) => pad(x, [1, 2]),
  integers: ([x]) => pad(x, [1, 1], { value: 7 }),
});
for (const mode of ['reflect', 'replicate', 'circular'] as const) {
  rows('pad', {
    [`${mode}1`]: ([x]) => pad(x, [2, 1], { mode }),
    [`${mode}2`]: ([x]) => pad(x, [2, 1, 0, 2], { mode }),
    [`${mode}3`]: ([x]) => pad(x, [1, 1, 0, 2, 1, 0], { mode }),
    [`${mode}Unbatched`]: ([x]) => pad(x, [2, 1], { mode }),
  });
}
rows('nn.ConstantPad1d', { plain: layer(() => new nn.ConstantPad1d([2, 1], 2.5)) });
rows('nn.ZeroPad1d', { plain: layer(() => new nn.ZeroPad1d(1)) });
rows('nn.ReflectionPad1d', { plain: layer(() => new nn.ReflectionPad1d([2, 1])) });
rows('nn.ReplicationPad1d', { plain: layer(() => new nn.ReplicationPad1d([2, 1])) });
rows('nn.CircularPad1d', { plain: layer(() => new nn.CircularPad1d([2, 1])) });
rows('nn.ConstantPad2d', { plain: layer(() => new nn.ConstantPad2d([1, 1, 0, 2], 2.5)) });
rows('nn.ZeroPad2d', { plain: layer(() => new nn.ZeroPad2d(1)) });
rows('nn.ReflectionPad2d', { plain: layer(() => new nn.ReflectionPad2d([1, 1, 0, 2])) });
rows('nn.ReplicationPad2d', { plain: layer(() => new nn.ReplicationPad2d([1, 1, 0, 2])) });
rows('nn.CircularPad2d', { plain: layer(() => new nn.CircularPad2d([1, 1, 0, 2])) });
rows('nn.ConstantPad3d', { plain: layer(() => new nn.ConstantPad3d([1, 1, 0, 1, 1, 0], 2.5)) });
rows('nn.ZeroPad3d', { plain: layer(() => new nn.ZeroPad3d(1)) });
rows('nn.ReflectionPad3d', { plain: layer(() => new nn.ReflectionPad3d([1, 1, 0, 1, 1, 0])) });
rows('nn.ReplicationPad3d', { plain: layer(() => new nn.ReplicationPad3d([1, 1, 0, 1, 1, 0])) });
rows('nn.CircularPad3d', { plain: layer(() => new nn.CircularPad3d([1, 1, 0, 1, 1, 0])) });

const up = [8, [7, 6], [4, 5, 6]];
const down = [3, [3, 2], [2, 2, 3]];
for (const d of [0, 1, 2]) {
  for (const mode of ['nearest', 'nearest-exact', 'area'] as const) {
    rows('interpolate', {
      [`${mode}${d + 1}Up`]: ([x]) => interpolate(x, { size: up[d], mode }),
      [`${mode}${d + 1}Down`]: ([x]) => interpolate(x, { size: down[d], mode }),
    });
  }
  const mode = (['linear', 'bilinear', 'trilinear'] as const)[d];
  for (const alignCorners of [false, true]) {
    const name = alignCorners ? 'Aligned' : '';
    rows('interpolate', {
      [`linear${d + 1}Up${name}`]: ([x]) => interpolate(x, { size: up[d], mode, alignCorners }),
      [`linear${d + 1}Down${name}`]: ([x]) => interpolate(x, { size: down[d], mode, alignCorners }),
    });
  }
}
for (const alignCorners of [false, true]) {
  for (const size of [
    [9, 3],
    [3, 11],
    [1, 2],
  ]) {
    const name = `${size.join('x')}${alignCorners ? 'Aligned' : ''}`;
    rows('interpolate', {
      [`bilinearAntialias${name}`]: ([x]) => interpolate(x, { size, mode: 'bilinear', alignCorners, antialias: true }),
      [`bicubicAntialias${name}`]: ([x]) => interpolate(x, { size, mode: 'bicubic', alignCorners, antialias: true }),
      [`bicubic${name}`]: ([x]) => interpolate(x, { size, mode: 'bicubic', alignCorners }),
    });
  }
}
for (const mode of ['nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'] as const) {
  rows('interpolate', {
    [`${mode}Factor`]: ([x]) => interpolate(x, { scaleFactor: [1.3, 0.7], mode }),
    [`${mode}Recomputed`]: ([x]) => interpolate(x, { scaleFactor: 1.7, mode, recomputeScaleFactor: true }),
  });
}
for (const mode of ['nearest', 'nearest-exact', 'bilinear', 'area'] as const) {
  rows('interpolate', { [`${mode}Same`]: ([x]) => interpolate(x, { scaleFactor: 1.1, mode }) });
}
rows('interpolate', { none: ([x]) => interpolate(x, { size: 4 }) });

rows('nn.Upsample', {
  plain: layer(() => new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' })),
  size: layer(() => new nn.Upsample({ size: 5 })),
});
rows('nn.UpsamplingNearest2d', { plain: layer(() => new nn.UpsamplingNearest2d({ scaleFactor: 2 })) });
rows('nn.UpsamplingBilinear2d', { plain: layer(() => new nn.UpsamplingBilinear2d({ size: [3, 5] })) });
