// Rows of pooling; see sample.ts.
import { nn, type Tensor } from 'thalweg';
import { family, type Run } from './sample.js';

const { rows, samples } = family();
export { samples };

type Ints = Tensor<readonly number[], 'int64'>;
const f = nn.functional;
const layer =
  (make: () => nn.AnyModule): Run =>
  ([x, ...others]) =>
    make().forward(x, ...(others as never[])) as Tensor;

rows('maxPool1d', {
  plain: ([x]) => f.maxPool1d(x, 2),
  unbatched: ([x]) => f.maxPool1d(x, 3, { stride: 1 }),
  padded: ([x]) => f.maxPool1d(x, 3, { stride: 2, padding: 1 }),
  dilated: ([x]) => f.maxPool1d(x, 2, { stride: 1, padding: 1, dilation: 2 }),
  ceil: ([x]) => f.maxPool1d(x, 2, { stride: 3, ceilMode: true }),
  indices: ([x]) => f.maxPool1d(x, 3, { stride: 2, padding: 1, returnIndices: true }),
  none: ([x]) => f.maxPool1d(x, 2),
});
rows('avgPool1d', {
  plain: ([x]) => f.avgPool1d(x, 2),
  unbatched: ([x]) => f.avgPool1d(x, 3, { stride: 1 }),
  padded: ([x]) => f.avgPool1d(x, 3, { stride: 2, padding: 1 }),
  excluded: ([x]) => f.avgPool1d(x, 3, { stride: 2, padding: 1, countIncludePad: false }),
  ceil: ([x]) => f.avgPool1d(x, 2, { stride: 3, padding: 1, ceilMode: true }),
  none: ([x]) => f.avgPool1d(x, 2),
});
rows('lpPool1d', {
  plain: ([x]) => f.lpPool1d(x, 2, 2),
  ceil: ([x]) => f.lpPool1d(x, 3, 2, { stride: 3, ceilMode: true }),
});
rows('adaptiveAvgPool1d', {
  plain: ([x]) => f.adaptiveAvgPool1d(x, 3),
  one: ([x]) => f.adaptiveAvgPool1d(x, 1),
});
rows('adaptiveMaxPool1d', {
  plain: ([x]) => f.adaptiveMaxPool1d(x, 3),
  indices: ([x]) => f.adaptiveMaxPool1d(x, 2, { returnIndices: true }),
});
rows('maxUnpool1d', { plain: ([x, indices]) => f.maxUnpool1d(x, indices as Ints, 2) });
rows('nn.MaxPool1d', { plain: layer(() => new nn.MaxPool1d(3, { stride: 2, padding: 1 })) });
rows('nn.AvgPool1d', { plain: layer(() => new nn.AvgPool1d(2)) });
rows('nn.LPPool1d', { plain: layer(() => new nn.LPPool1d(2, 2)) });
rows('nn.AdaptiveAvgPool1d', { plain: layer(() => new nn.AdaptiveAvgPool1d(2)) });
rows('nn.AdaptiveMaxPool1d', { plain: layer(() => new nn.AdaptiveMaxPool1d(2)) });
rows('nn.MaxUnpool1d', { plain: layer(() => new nn.MaxUnpool1d(2)) });

rows('maxPool2d', {
  plain: ([x]) => f.maxPool2d(x, 2),
  unbatched: ([x]) => f.maxPool2d(x, 3, { stride: 1 }),
  padded: ([x]) => f.maxPool2d(x, 3, { stride: 2, padding: 1 }),
  dilated: ([x]) => f.maxPool2d(x, 2, { stride: 1, padding: 1, dilation: 2 }),
  ceil: ([x]) => f.maxPool2d(x, 2, { stride: 3, ceilMode: true }),
  indices: ([x]) => f.maxPool2d(x, 3, { stride: 2, padding: 1, returnIndices: true }),
  none: ([x]) => f.maxPool2d(x, 2),
  special: ([x]) => f.maxPool2d(x, 2, { stride: 1, padding: 1 }),
  uneven: ([x]) => f.maxPool2d(x, [3, 2], { stride: [1, 3], padding: [1, 0], dilation: [2, 1] }),
});
rows('avgPool2d', {
  plain: ([x]) => f.avgPool2d(x, 2),
  unbatched: ([x]) => f.avgPool2d(x, 3, { stride: 1 }),
  padded: ([x]) => f.avgPool2d(x, 3, { stride: 2, padding: 1 }),
  excluded: ([x]) => f.avgPool2d(x, 3, { stride: 2, padding: 1, countIncludePad: false }),
  ceil: ([x]) => f.avgPool2d(x, 2, { stride: 3, padding: 1, ceilMode: true }),
  none: ([x]) => f.avgPool2d(x, 2),
  divisor: ([x]) => f.avgPool2d(x, [2, 3], { stride: [2, 1], divisorOverride: 5 }),
});
rows('lpPool2d', {
  plain: ([x]) => f.lpPool2d(x, 2, 2),
  ceil: ([x]) => f.lpPool2d(x, 3, 2, { stride: 3, ceilMode: true }),
});
rows('adaptiveAvgPool2d', {
  plain: ([x]) => f.adaptiveAvgPool2d(x, 3),
  one: ([x]) => f.adaptiveAvgPool2d(x, 1),
  keep: ([x]) => f.adaptiveAvgPool2d(x, [2, null]),
  grow: ([x]) => f.adaptiveAvgPool2d(x, [7, 3]),
});
rows('adaptiveMaxPool2d', {
  plain: ([x]) => f.adaptiveMaxPool2d(x, 3),
  indices: ([x]) => f.adaptiveMaxPool2d(x, 2, { returnIndices: true }),
});
rows('maxUnpool2d', { plain: ([x, indices]) => f.maxUnpool2d(x, indices as Ints, 2) });
rows('nn.MaxPool2d', { plain: layer(() => new nn.MaxPool2d(3, { stride: 2, padding: 1 })) });
rows('nn.AvgPool2d', { plain: layer(() => new nn.AvgPool2d(2)) });
rows('nn.LPPool2d', { plain: layer(() => new nn.LPPool2d(2, 2)) });
rows('nn.AdaptiveAvgPool2d', { plain: layer(() => new nn.AdaptiveAvgPool2d(2)) });
rows('nn.AdaptiveMaxPool2d', { plain: layer(() => new nn.AdaptiveMaxPool2d(2)) });
rows('nn.MaxUnpool2d', { plain: layer(() => new nn.MaxUnpool2d(2)) });

rows('maxPool3d', {
  plain: ([x]) => f.maxPool3d(x, 2),
  unbatched: ([x]) => f.maxPool3d(x, 3, { stride: 1 }),
  padded: ([x]) => f.maxPool3d(x, 3, { stride: 2, padding: 1 }),
  dilated: ([x]) => f.maxPool3d(x, 2, { stride: 1, padding: 1, dilation: 2 }),
  ceil: ([x]) => f.maxPool3d(x, 2, { stride: 3, ceilMode: true }),
  indices: ([x]) => f.maxPool3d(x, 3, { stride: 2, padding: 1, returnIndices: true }),
  none: ([x]) => f.maxPool3d(x, 2),
});
rows('avgPool3d', {
  plain: ([x]) => f.avgPool3d(x, 2),
  unbatched: ([x]) => f.avgPool3d(x, 3, { stride: 1 }),
  padded: ([x]) => f.avgPool3d(x, 3, { stride: 2, padding: 1 }),
  excluded: ([x]) => f.avgPool3d(x, 3, { stride: 2, padding: 1, countIncludePad: false }),
  ceil: ([x]) => f.avgPool3d(x, 2, { stride: 3, padding: 1, ceilMode: true }),
  none: ([x]) => f.avgPool3d(x, 2),
});
rows('lpPool3d', {
  plain: ([x]) => f.lpPool3d(x, 2, 2),
  ceil: ([x]) => f.lpPool3d(x, 3, 2, { stride: 3, ceilMode: true }),
});
rows('adaptiveAvgPool3d', {
  plain: ([x]) => f.adaptiveAvgPool3d(x, 3),
  one: ([x]) => f.adaptiveAvgPool3d(x, 1),
});
rows('adaptiveMaxPool3d', {
  plain: ([x]) => f.adaptiveMaxPool3d(x, 3),
  indices: ([x]) => f.adaptiveMaxPool3d(x, 2, { returnIndices: true }),
});
rows('maxUnpool3d', { plain: ([x, indices]) => f.maxUnpool3d(x, indices as Ints, 2) });
rows('nn.MaxPool3d', { plain: layer(() => new nn.MaxPool3d(3, { stride: 2, padding: 1 })) });
rows('nn.AvgPool3d', { plain: layer(() => new nn.AvgPool3d(2)) });
rows('nn.LPPool3d', { plain: layer(() => new nn.LPPool3d(2, 2)) });
rows('nn.AdaptiveAvgPool3d', { plain: layer(() => new nn.AdaptiveAvgPool3d(2)) });
rows('nn.AdaptiveMaxPool3d', { plain: layer(() => new nn.AdaptiveMaxPool3d(2)) });
rows('nn.MaxUnpool3d', { plain: layer(() => new nn.MaxUnpool3d(2)) });
