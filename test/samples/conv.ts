// The rows of convolutions, patches and shuffles. See sample.ts.
import {
  channelShuffle,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  nn,
  pixelShuffle,
  pixelUnshuffle,
  type Tensor,
} from 'thalweg';
import { each, family, withState, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

type Convolve<Options> = (x: Tensor, weight: Tensor, bias: Tensor | null, options?: Options) => Tensor;

const convolution =
  (fn: Convolve<nn.ConvOptions>, options?: nn.ConvOptions): Run =>
  ([x, weight, bias]) =>
    fn(x, weight, bias ?? null, options);
const transposed =
  (fn: Convolve<nn.ConvTransposeOptions>, options?: nn.ConvTransposeOptions): Run =>
  ([x, weight, bias]) =>
    fn(x, weight, bias ?? null, options);

// ---- convolutions
rows('conv1d', {
  ...each(['plain', 'empty'], convolution(conv1d)),
  options: convolution(conv1d, { stride: 2, padding: 3, dilation: 2 }),
  same: convolution(conv1d, { padding: 'same', dilation: [3] }),
  unbatched: convolution(conv1d, { groups: 2, padding: 'valid' }),
});
rows('conv2d', {
  ...each(['plain', 'noBias', 'pointwise', 'unbatched', 'wholeImage'], convolution(conv2d)),
  pointwiseStride: convolution(conv2d, { stride: 2 }),
  options: convolution(conv2d, { stride: [2, 3], padding: [2, 1], dilation: [1, 2] }),
  floor: convolution(conv2d, { stride: 3 }),
  same: convolution(conv2d, { padding: 'same', dilation: [1, 2] }),
  groups: convolution(conv2d, { padding: 1, groups: 2 }),
  depthwise: convolution(conv2d, { padding: 1, groups: 3 }),
  depthwiseStride: convolution(conv2d, { stride: 2, padding: 2, dilation: 2, groups: 2 }),
  oneChannel: convolution(conv2d, { stride: [1, 3], padding: [0, 2] }),
  empty: convolution(conv2d, { padding: 1 }),
});
rows('conv3d', {
  ...each(['plain', 'unbatched'], convolution(conv3d)),
  options: convolution(conv3d, { stride: [2, 1, 2], padding: [1, 0, 2], dilation: [1, 2, 1], groups: 2 }),
  depthwise: convolution(conv3d, { padding: 1, stride: [1, 2, 1], groups: 2 }),
});

// ---- transposed
rows('convTranspose1d', {
  plain: transposed(convTranspose1d),
  options: transposed(convTranspose1d, { stride: 3, padding: 2, outputPadding: 1, dilation: 2 }),
  unbatched: transposed(convTranspose1d, { groups: 2 }),
});
rows('convTranspose2d', {
  ...each(['plain', 'pointwise', 'unbatched', 'empty'], transposed(convTranspose2d)),
  noBias: transposed(convTranspose2d, { stride: 2 }),
  options: transposed(convTranspose2d, { stride: [2, 3], padding: [1, 2], outputPadding: [1, 2], dilation: [2, 1] }),
  groups: transposed(convTranspose2d, { stride: 2, groups: 2 }),
  depthwise: transposed(convTranspose2d, { stride: 2, padding: 1, outputPadding: 1, groups: 3 }),
  gap: transposed(convTranspose2d, { stride: 3 }),
});
rows('convTranspose3d', {
  ...each(['plain', 'unbatched'], transposed(convTranspose3d)),
  options: transposed(convTranspose3d, { stride: [1, 2, 2], padding: [0, 1, 0], outputPadding: [0, 1, 1], groups: 2 }),
});

// ---- patches
const { fold, unfold } = nn.functional;
const folding = { dilation: [2, 1], padding: [1, 2], stride: [2, 1] } as const;
rows('unfold', {
  ...each(['plain', 'empty'], ([x]) => unfold(x, 2)),
  options: ([x]) => unfold(x, [2, 3], folding),
  unbatched: ([x]) => unfold(x, 3, { padding: 1 }),
});
rows('fold', {
  plain: ([x]) => fold(x, [4, 3], 2),
  options: ([x]) => fold(x, [5, 4], [2, 3], folding),
  unbatched: ([x]) => fold(x, 3, 3, { padding: 1 }),
  empty: ([x]) => fold(x, 3, 2),
});

// ---- shuffles
rows('pixelShuffle', {
  ...each(['plain', 'empty'], ([x]) => pixelShuffle(x, 2)),
  lead: ([x]) => pixelShuffle(x, 3),
  unbatched: ([x]) => pixelShuffle(x, 1),
});
rows('pixelUnshuffle', { plain: ([x]) => pixelUnshuffle(x, 2), unbatched: ([x]) => pixelUnshuffle(x, 3) });
rows('channelShuffle', { plain: ([x]) => channelShuffle(x, 2), sequence: ([x]) => channelShuffle(x, 3) });

// ---- layers
// Differences would see the parameters, too.
const learned = { kink: true };
const layer =
  (make: () => nn.AnyModule): Run =>
  ([x, ...state]) =>
    withState(make(), state).forward(x) as Tensor;

rows(
  'nn.Conv1d',
  {
    plain: layer(() => new nn.Conv1d(2, 3, 3, { padding: 1 })),
    circular: layer(() => new nn.Conv1d(2, 3, 3, { padding: 2, paddingMode: 'circular' })),
    replicate: layer(() => new nn.Conv1d(2, 2, 3, { padding: 4, paddingMode: 'replicate', bias: false })),
  },
  learned,
);
rows(
  'nn.Conv2d',
  {
    plain: layer(() => new nn.Conv2d(4, 2, [3, 2], { stride: 2, padding: [1, 0], dilation: [1, 2], groups: 2 })),
    reflect: layer(() => new nn.Conv2d(2, 2, 3, { padding: [2, 1], paddingMode: 'reflect' })),
    replicate: layer(() => new nn.Conv2d(1, 2, 3, { padding: [0, 2], paddingMode: 'replicate' })),
    circularSame: layer(() => new nn.Conv2d(2, 2, [2, 4], { padding: 'same', paddingMode: 'circular' })),
  },
  learned,
);
rows('nn.Conv3d', { plain: layer(() => new nn.Conv3d(1, 2, 2, { padding: 1, bias: false })) }, learned);
rows(
  'nn.ConvTranspose1d',
  {
    plain: layer(() => new nn.ConvTranspose1d(2, 3, 3, { stride: 2, outputPadding: 1 })),
  },
  learned,
);
rows(
  'nn.ConvTranspose2d',
  {
    plain: layer(() => new nn.ConvTranspose2d(2, 4, 3, { stride: 2, padding: 1, groups: 2, dilation: 2 })),
    outputSize: ([x, ...state]) =>
      withState(new nn.ConvTranspose2d(2, 2, 3, { stride: 2 }), state).forward(x, { outputSize: [6, 7] }),
  },
  learned,
);
rows(
  'nn.ConvTranspose3d',
  {
    plain: layer(() => new nn.ConvTranspose3d(1, 2, 2, { stride: [1, 2, 2], bias: false })),
  },
  learned,
);
rows('nn.Unfold', { plain: layer(() => new nn.Unfold([2, 3], { padding: 1, stride: 2 })) });
rows('nn.Fold', { plain: layer(() => new nn.Fold([4, 3], [2, 3], { padding: 1, stride: 2 })) });
rows('nn.PixelShuffle', { plain: layer(() => new nn.PixelShuffle(2)) });
rows('nn.PixelUnshuffle', { plain: layer(() => new nn.PixelUnshuffle(2)) });
rows('nn.ChannelShuffle', { plain: layer(() => new nn.ChannelShuffle(2)) });
