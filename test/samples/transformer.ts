// The rows of transformers. See sample.ts.
import { nn, tanh, type Tensor } from 'thalweg';
import { withParameters } from './attention.js';
import { family } from './sample.js';

const { samples, rows } = family();
export { samples };

const batchFirst = { batchFirst: true };
const small = { dimFeedforward: 5, dropout: 0 };
const square = (size: number): Tensor => nn.Transformer.generateSquareSubsequentMask(size);
const encoder = (options: nn.TransformerLayerOptions = {}): nn.TransformerEncoderLayer =>
  new nn.TransformerEncoderLayer<number>(4, 2, { ...small, ...options });
const decoder = (options: nn.TransformerLayerOptions = {}): nn.TransformerDecoderLayer =>
  new nn.TransformerDecoderLayer<number>(4, 2, { ...small, ...options });

rows('nn.TransformerEncoderLayer', {
  plain: ([x, ...state]) => withParameters(encoder(), state).forward(x),
  normFirst: ([x, ...state]) =>
    withParameters(encoder({ ...batchFirst, normFirst: true, activation: 'gelu' }), state).forward(x),
  masked: ([x, srcKeyPaddingMask, ...state]) =>
    withParameters(encoder({ ...batchFirst, bias: false, layerNormEps: 0.1 }), state).forward(x, {
      mask: square(3).isinf(),
      srcKeyPaddingMask,
    }),
  causal: ([x, ...state]) =>
    withParameters(encoder({ ...batchFirst, activation: (y) => tanh(y) as Tensor }), state).forward(x, {
      isCausal: true,
    }),
});
rows('nn.TransformerDecoderLayer', {
  plain: ([x, memory, ...state]) => withParameters(decoder(), state).forward(x, memory),
  normFirst: ([x, memory, memoryKeyPaddingMask, ...state]) =>
    withParameters(decoder({ ...batchFirst, normFirst: true, activation: 'gelu' }), state).forward(x, memory, {
      tgtIsCausal: true,
      memoryKeyPaddingMask,
    }),
});
rows('nn.TransformerEncoder', {
  two: ([x, ...state]) => withParameters(new nn.TransformerEncoder(encoder(batchFirst), 2), state).forward(x),
  norm: ([x, ...state]) =>
    withParameters(new nn.TransformerEncoder(encoder(), 1, { norm: new nn.LayerNorm(4) }), state).forward(x, {
      mask: square(3),
      isCausal: true,
    }),
});
rows('nn.TransformerDecoder', {
  norm: ([x, memory, ...state]) =>
    withParameters(new nn.TransformerDecoder(decoder(), 1, { norm: new nn.LayerNorm(4) }), state).forward(x, memory, {
      memoryMask: square(3).narrow(1, 0, 2),
    }),
});
rows('nn.Transformer', {
  small: ([src, tgt, ...state]) => {
    const sizes = { dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1 };
    return withParameters(new nn.Transformer({ ...sizes, ...small }), state).forward(src, tgt, { tgtIsCausal: true });
  },
});
