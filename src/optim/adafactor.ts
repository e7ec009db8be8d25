// Adafactor.
import { ArgumentError } from '../errors.js';
import { keep } from '../memory.js';
import { zeros } from '../ops/creation.js';
import { matmul } from '../ops/matmul.js';
import { mean } from '../ops/reduce.js';
import { square as squareOf } from '../ops/math.js';
import { emptyLike } from '../ops/creation.js';
import { tidy } from '../memory.js';
import { add, div, maximum, minimum, mul, pow, rsqrt, sqrt, square, sub } from '../program/expr.js';
import type { DeviceNumber } from '../program/deviceNumbers.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCommon, checkOption, stateTensor, type CommonOptions } from './common.js';
import { Optimizer, type OptimizerOptions, type ParametersLike, type ParameterState } from './optimizer.js';
import { StepNumbers } from './stepNumbers.js';
import { l2Norms } from './norms.js';

/** Options of `Adafactor`. Default lr 0.01; weight decay is decoupled. */
export interface AdafactorOptions extends CommonOptions {
  /** The decay rate of the second moment is 1 - t^beta2Decay. Default -0.8. */
  beta2Decay: number;
  /** Bounds of the second moment (null: the dtype's epsilon) and of the parameters' scale. Default [null, 1e-3]. */
  eps: readonly [number | null, number];
  /** The root mean square at which updates are clipped. Default 1. */
  d: number;
}

const blended = program({
  name: 'Adafactor',
  tensors: ['v', 'fresh'],
  scalars: ['share'],
  update: ({ v, fresh, share }) => ({ v: add(v, mul(share, sub(fresh, v))) }),
});

const blendedSquares = program({
  name: 'Adafactor',
  tensors: ['v', 'g'],
  scalars: ['share'],
  update: ({ v, g, share }) => ({ v: add(v, mul(share, sub(square(g), v))) }),
});

const direction = program({
  name: 'Adafactor',
  tensors: ['out', 'g', 'variance', 'scale'],
  scalars: ['sign', 'eps1'],
  update: ({ g, variance, scale, sign, eps1 }) => ({
    out: mul(rsqrt(maximum(div(variance, maximum(scale, eps1)), mul(eps1, eps1))), mul(sign, g)),
  }),
});

const plainDirection = program({
  name: 'Adafactor',
  tensors: ['out', 'g', 'variance'],
  scalars: ['sign', 'eps1'],
  update: ({ g, variance, sign, eps1 }) => ({ out: mul(rsqrt(maximum(variance, mul(eps1, eps1))), mul(sign, g)) }),
});

const step = program({
  name: 'Adafactor',
  tensors: ['p', 'u', 'pNorm', 'uNorm'],
  scalars: ['keep', 'rho', 'eps2', 'root', 'd'],
  update: ({ p, u, pNorm, uNorm, keep, rho, eps2, root, d }) => {
    const alpha = mul(maximum(eps2, div(pNorm, root)), rho);
    const clip = maximum(1, div(uNorm, mul(root, d)));
    return { p: sub(mul(keep, p), mul(div(alpha, clip), u)) };
  },
});

const numbers = new StepNumbers({
  name: 'Adafactor',
  kept: ['step'],
  options: ['lr', 'beta2Decay'],
  several: true,
  update: ({ step: before, lr, beta2Decay }) => {
    const t = add(before, 1);
    return { step: t, share: pow(t, beta2Decay), rho: minimum(lr, div(1, sqrt(t))) };
  },
});

const epsilons: Readonly<Record<string, number>> = {
  float64: Number.EPSILON,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

/**
 * Adam's second moment of a matrix kept as the outer product of its row and column means: memory of m + n instead of
 * m * n. As torch.optim.Adafactor:
 *
 *     beta2 = 1 - t^beta2Decay,  rho = min(lr, 1 / sqrt(t)),  alpha = max(eps2, RMS(p)) * rho
 *     R = beta2 * R + (1 - beta2) * rowMean(g^2),  C = beta2 * C + (1 - beta2) * columnMean(g^2)
 *     U = g / sqrt(max(R C / max(mean(R), eps1), eps1^2))                     (vectors keep the whole moment)
 *     p = p - lr * weightDecay * p - alpha * U / max(1, RMS(U) / d)
 *
 * Shazeer and Stern 2018.
 */
export class Adafactor extends Optimizer<AdafactorOptions> {
  constructor(params: ParametersLike<AdafactorOptions>, options: OptimizerOptions<AdafactorOptions> = {}) {
    const own = { lr: 1e-2, beta2Decay: -0.8, eps: [null, 1e-3], d: 1 } as const;
    super('Adafactor', params, { ...own, weightDecay: 0, decoupledWeightDecay: true, maximize: false }, options);
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: AdafactorOptions): void {
    checkCommon('Adafactor', o);
    if (!(o.beta2Decay <= 0))
      throw new ArgumentError(`Adafactor: beta2Decay must be a number <= 0, got ${String(o.beta2Decay)}.`);
    if (!Array.isArray(o.eps) || o.eps.length !== 2)
      throw new ArgumentError('Adafactor: eps must be [number or null, number].');
    if (o.eps[0] !== null) checkOption('Adafactor', 'eps[0]', o.eps[0]);
    checkOption('Adafactor', 'eps[1]', o.eps[1]);
    if (!(o.d >= 1)) throw new ArgumentError(`Adafactor: d must be a number >= 1, got ${String(o.d)}.`);
    if (!o.decoupledWeightDecay) throw new ArgumentError('Adafactor: weight decay is always decoupled.');
  }

  protected override initialState(p: Tensor): ParameterState {
    const { shape, dtype, device } = p;
    if (shape.length < 2) return { step: 0, variance: stateTensor(p) };
    const like = (size: readonly number[]): Tensor => keep(zeros(size, { dtype, device }));
    return {
      step: 0,
      rowVar: like([...shape.slice(0, -1), 1]),
      colVar: like([...shape.slice(0, -2), 1, shape[shape.length - 1]]),
    };
  }

  protected override update(o: AdafactorOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const { lr, beta2Decay } = o;
    const values = { sign: o.maximize ? -1 : 1, eps1: o.eps[0] ?? epsilons[p[0].dtype] };
    const updateOne = (x: Tensor, i: number, { share, rho }: Record<'share' | 'rho', number | DeviceNumber>): void => {
      tidy(() => {
        const u = emptyLike(x);
        const state = states[i];
        const grad = g[i];
        if (x.shape.length < 2) {
          const variance = [state['variance'] as Tensor];
          blendedSquares.run({ v: variance, g: [grad] }, { share });
          plainDirection.run({ out: [u], g: [grad], variance }, values);
        } else {
          const [row, col] = [state['rowVar'] as Tensor, state['colVar'] as Tensor];
          const squares = squareOf(grad);
          const means = [mean(squares, -1, { keepDim: true }), mean(squares, -2, { keepDim: true })] as Tensor[];
          blended.run({ v: [row, col], fresh: means }, { share });
          const variance = matmul(row, col);
          const scale = mean(row, -2, { keepDim: true });
          direction.run({ out: [u], g: [grad], variance: [variance], scale: [scale] }, values);
        }
        step.run(
          { p: [x], u: [u], pNorm: l2Norms([x], 'whole'), uNorm: l2Norms([u], 'whole') },
          {
            keep: 1 - o.lr * o.weightDecay,
            rho,
            eps2: o.eps[1],
            root: Math.sqrt(x.numel),
            d: o.d,
          },
        );
      });
    };
    numbers.run(states, p[0].device, { lr, beta2Decay }, (given) => p.forEach((x, i) => updateOne(x, i, given)));
  }
}
