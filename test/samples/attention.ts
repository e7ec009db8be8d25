// The rows of attention and positional encodings. See sample.ts.
import { nn, type Tensor } from 'thalweg';
import { each, family, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

/** A module whose parameters are the given tensors, in the order of its state dict, so that gradients reach them. */
export function withParameters<M extends nn.AnyModule>(module: M, values: readonly Tensor[]): M {
  const names = [...module.stateDict().keys()];
  if (names.length !== values.length) throw new Error(`${names.join(', ')}: ${values.length} given`);
  const modules = new Map(module.namedModules());
  names.forEach((name, i) => {
    const dot = name.lastIndexOf('.');
    const owner = modules.get(name.slice(0, Math.max(0, dot)))!;
    Object.assign(owner, { [name.slice(dot + 1)]: values[i] });
  });
  return module;
}

const { applyRotary } = nn.functional;
const attend = nn.functional.scaledDotProductAttention as unknown as (
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options?: Parameters<typeof nn.functional.scaledDotProductAttention>[3],
) => Tensor;

rows('scaledDotProductAttention', {
  ...each(
    ['matrix', 'batch', 'heads', 'five', 'broadcast', 'one', 'noQueries', 'noKeys', 'noFeatures', 'noBatch'],
    ([q, k, v]) => attend(q, k, v),
  ),
  ...each(['floatMask', 'fullMask', 'boolMask', 'paddingMask'], ([q, k, v, attnMask]) => attend(q, k, v, { attnMask })),
  ...each(['causal', 'causalTall', 'causalWide'], ([q, k, v]) => attend(q, k, v, { isCausal: true })),
  scale: ([q, k, v]) => attend(q, k, v, { scale: 0.3 }),
  grouped: ([q, k, v]) => attend(q, k, v, { enableGqa: true }),
  groupedCausal: ([q, k, v]) => attend(q, k, v, { enableGqa: true, isCausal: true }),
});

// ---- positions
rows('applyRotary', {
  ...each(['pairs', 'broadcast', 'empty'], ([x, cos, sin]) => applyRotary(x, cos, sin)),
  halves: ([x, cos, sin]) => applyRotary(x, cos, sin, { interleaved: false }),
});
rows('nn.RotaryEmbedding', {
  pairs: ([x]) => new nn.RotaryEmbedding(4, { maxLen: 8 }).forward(x),
  halves: ([x]) => new nn.RotaryEmbedding(4, { maxLen: 8, interleaved: false }).forward(x, { offset: 5 }),
});
rows('nn.SinusoidalPositionalEncoding', {
  rows: ([x]) => new nn.SinusoidalPositionalEncoding<number>(4, { maxLen: 8 }).forward(x),
  batchFirst: ([x]) => new nn.SinusoidalPositionalEncoding<number>(4, { maxLen: 8, batchFirst: true }).forward(x),
  odd: ([x]) => new nn.SinusoidalPositionalEncoding<number>(5, { maxLen: 8 }).forward(x),
});
const learned = (batchFirst: boolean): Run => {
  const make = (): nn.LearnedPositionalEncoding => new nn.LearnedPositionalEncoding(4, { maxLen: 5, batchFirst });
  return ([x, ...state]) => withParameters(make(), state).forward(x);
};
rows('nn.LearnedPositionalEncoding', { rows: learned(false), batchFirst: learned(true) });

// ---- multi-head attention
type CallOptions = NonNullable<Parameters<nn.MultiheadAttention['forward']>[3]>;

/** The results of a layer on the first `count` inputs, once or as query, key and value. */
function heads(options: nn.MultiheadAttentionOptions, call: CallOptions, count: 1 | 2 | 3 = 1): Run {
  return (inputs) => {
    const layer = withParameters(new nn.MultiheadAttention<number>(4, 2, options), inputs.slice(count));
    const [q, k = q, v = k] = inputs.slice(0, count);
    return layer.forward(q, k, v, call).filter((out): out is Tensor => out !== null);
  };
}

function masked(options: nn.MultiheadAttentionOptions, needWeights: boolean): Run {
  return ([q, k, keyPaddingMask, attnMask, ...state]) => {
    const layer = withParameters(new nn.MultiheadAttention<number>(4, 2, { batchFirst: true, ...options }), state);
    const results = layer.forward(q, k, k, { keyPaddingMask, attnMask, needWeights });
    return results.filter((out): out is Tensor => out !== null);
  };
}

const added = { addBiasKv: true, addZeroAttn: true };
const fused = { needWeights: false };
const batchFirst = { batchFirst: true };
rows('nn.MultiheadAttention', {
  self: heads({}, {}),
  selfFused: heads({}, fused),
  batchFirst: heads(batchFirst, fused),
  unbatched: heads({}, {}),
  cross: heads(batchFirst, { averageAttnWeights: false }, 3),
  memory: heads({ bias: false }, fused, 2),
  widths: heads({ ...batchFirst, kdim: 3, vdim: 2 }, {}, 3),
  masks: masked({}, true),
  masksFused: masked({}, false),
  floatMask: ([q, attnMask, ...state]) =>
    withParameters(new nn.MultiheadAttention<number>(4, 2, batchFirst), state).forward(q, q, q, {
      ...fused,
      attnMask,
    })[0],
  causal: heads(batchFirst, { ...fused, isCausal: true }),
  causalWeights: heads(batchFirst, { isCausal: true }),
  added: masked(added, true),
  addedFused: masked(added, false),
});
