// The rows of activations and their layers. See sample.ts.
import { nn, type Tensor } from 'thalweg';
import { each, family, withState, type Flags } from './sample.js';

const { samples, rows } = family();
export { samples };

const F = nn.functional;
type Unary = (x: Tensor) => Tensor;

function unary(op: string, fn: Unary, flags: Flags = {}): void {
  rows(
    op,
    each(['matrix', 'scalar', 'empty', 'special', 'kink'], ([x]) => fn(x)),
    { elementwise: true, ...flags },
  );
}
unary('relu6', F.relu6);
unary('leakyRelu', F.leakyRelu);
unary('elu', F.elu);
unary('selu', F.selu);
unary('celu', F.celu);
unary('mish', F.mish);
unary('softplus', F.softplus);
unary('softsign', F.softsign);
unary('logSigmoid', F.logSigmoid);
unary('hardtanh', F.hardtanh);
unary('hardsigmoid', F.hardsigmoid);
unary('hardswish', F.hardswish);
unary('hardshrink', F.hardshrink);
unary('softshrink', F.softshrink);
unary('tanhshrink', F.tanhshrink);
unary('rrelu', F.rrelu);
const elementwise = { elementwise: true };
// Too far for differences, and for the digits of the small dtypes.
const far = { kink: true, noHalf: true };
rows('relu6', { int64: ([x]) => F.relu6(x) }, elementwise);
rows('leakyRelu', { slope: ([x]) => F.leakyRelu(x, 0.2), negativeSlope: ([x]) => F.leakyRelu(x, -0.5) }, elementwise);
rows('elu', { ...each(['alpha', 'alphaKink'], ([x]) => F.elu(x, 1.5)), large: ([x]) => F.elu(x) }, elementwise, {
  alphaKink: { kink: true, noHalf: true },
  large: far,
});
rows('celu', { alpha: ([x]) => F.celu(x, 0.5), negative: ([x]) => F.celu(x, -0.5) }, elementwise);
rows(
  'softplus',
  {
    beta: ([x]) => F.softplus(x, { beta: 2, threshold: 3 }),
    sharp: ([x]) => F.softplus(x, { beta: 0.5, threshold: 1e9 }),
  },
  elementwise,
  { sharp: far },
);
rows('hardtanh', { bounds: ([x]) => F.hardtanh(x, -0.5, 2.25) }, elementwise);
rows('hardshrink', { lambd: ([x]) => F.hardshrink(x, 1.25), negative: ([x]) => F.hardshrink(x, -1) }, elementwise);
rows('softshrink', { lambd: ([x]) => F.softshrink(x, 1.25) }, elementwise);
rows(
  'threshold',
  {
    matrix: ([x]) => F.threshold(x, 0.25, -3.5),
    ...each(['kink', 'special', 'empty'], ([x]) => F.threshold(x, 0.5, 20)),
  },
  elementwise,
);
rows('rrelu', { slopes: ([x]) => F.rrelu(x, { lower: 0.25, upper: 0.5 }) }, elementwise);
rows(
  'gelu',
  each(['tanh', 'tanhScalar', 'tanhSpecial', 'tanhTail'], ([x]) => F.gelu(x, { approximate: 'tanh' })),
  elementwise,
  { tanhSpecial: { noHalf: true } },
);
rows('mish', { large: ([x]) => F.mish(x) }, elementwise, { large: far });
rows('silu', { large: ([x]) => F.silu(x) }, elementwise, { large: far });

rows(
  'prelu',
  each(['one', 'scalar', 'channels', 'rows', 'images', 'vector', 'empty', 'kink', 'special'], ([x, weight]) =>
    F.prelu(x, weight),
  ),
);
rows('glu', {
  ...each(['last', 'vector', 'empty', 'special'], ([x]) => F.glu(x)),
  first: ([x]) => F.glu(x, 0),
  middle: ([x]) => F.glu(x, 1),
});
rows('softmin', {
  last: ([x]) => F.softmin(x, -1),
  first: ([x]) => F.softmin(x, 0),
  empty: ([x]) => F.softmin(x, 1),
});

// ---- layers
const layers: Readonly<Record<string, { forward(x: Tensor): Tensor }>> = {
  ReLU: new nn.ReLU(),
  ReLU6: new nn.ReLU6(),
  LeakyReLU: new nn.LeakyReLU(0.2),
  ELU: new nn.ELU(1.5),
  SELU: new nn.SELU(),
  CELU: new nn.CELU(0.5),
  GELU: new nn.GELU({ approximate: 'tanh' }),
  SiLU: new nn.SiLU(),
  Mish: new nn.Mish(),
  Softplus: new nn.Softplus({ beta: 2, threshold: 3 }),
  Softsign: new nn.Softsign(),
  Sigmoid: new nn.Sigmoid(),
  LogSigmoid: new nn.LogSigmoid(),
  Tanh: new nn.Tanh(),
  Hardtanh: new nn.Hardtanh(-2.25, 1.25),
  Hardsigmoid: new nn.Hardsigmoid(),
  Hardswish: new nn.Hardswish(),
  Hardshrink: new nn.Hardshrink(1.25),
  Softshrink: new nn.Softshrink(1.25),
  Tanhshrink: new nn.Tanhshrink(),
  Threshold: new nn.Threshold(0.25, -3.5),
  Softmax: new nn.Softmax(0),
  LogSoftmax: new nn.LogSoftmax(-1),
  Softmin: new nn.Softmin(1),
  GLU: new nn.GLU(0),
  Identity: new nn.Identity(),
  RReLU: new nn.RReLU(0.25, 0.5).eval(),
};
for (const [name, layer] of Object.entries(layers)) rows(`nn.${name}`, { matrix: ([x]) => layer.forward(x) });
rows('nn.GELU', { default: ([x]) => new nn.GELU().forward(x) });
rows('nn.ELU', { default: ([x]) => new nn.ELU().forward(x) });
rows('nn.GLU', { default: ([x]) => new nn.GLU().forward(x) });
rows(
  'nn.PReLU',
  each(['one', 'channels'], ([x, weight]) => withState(new nn.PReLU(weight.numel), [weight]).forward(x)),
  // Differences would see the weight, too.
  { kink: true },
);
