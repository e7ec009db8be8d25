// Spectral normalisation.
import { isGradEnabled, noGrad } from '../../autograd/mode.js';
import { ArgumentError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { div, mul } from '../../ops/arithmetic.js';
import { clone, copy_ } from '../../ops/copy.js';
import { empty } from '../../ops/creation.js';
import { matmul } from '../../ops/matmul.js';
import { vectorNorm } from '../../ops/norms.js';
import { normal_, type Generator } from '../../ops/random.js';
import { sum } from '../../ops/reduce.js';
import { clamp } from '../../ops/math.js';
import { movedim, reshape, transpose } from '../../ops/view.js';
import { normalizeDim } from '../../shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../conv.js';
import { parameter, type AnyModule } from '../module.js';
import { install, partOf, requireParameter, uninstall } from './computed.js';

/** Options of `spectralNorm`. */
export interface SpectralNormOptions {
  /** Steps of the power iteration in each `forward` in training. Default 1. */
  nPowerIterations?: number;
  /** The smallest divisor when vectors are normalised. Default 1e-12. */
  eps?: number;
  /** The dimension of the outputs. Default 0; 1 for transposed convolutions. */
  dim?: number;
  /** Source of the vectors that the iteration starts from. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

const normalize = (x: Tensor, eps: number): Tensor => div(x, clamp(vectorNorm(x, 2) as Tensor, { min: eps })) as Tensor;

/**
 * Divides a parameter by its largest singular value: `weight = weight_orig / sigma(weight_orig)`, computed before each
 * `forward` (Miyato et al. 2018). The weight counts as a matrix whose rows belong to dimension `dim`. Its singular vectors
 * are the buffers `weight_u` and `weight_v`; in training each `forward` improves them by power iteration. The parameter is
 * `weight_orig` then; make optimizers afterwards. `weight` stays readable, with the value of the last `forward`.
 *
 * @param name the parameter
 * @returns the module
 * @throws ArgumentError if there is no such parameter, or it is computed already, or for options out of range; ShapeError for
 *   a dim out of range
 * @example
 * const layer = nn.utils.spectralNorm(new nn.Linear(20, 40));
 */
export function spectralNorm<M extends AnyModule>(module: M, name = 'weight', options: SpectralNormOptions = {}): M {
  const op = 'spectralNorm';
  const weight = requireParameter(op, module, name);
  const { nPowerIterations = 1, eps = 1e-12, generator } = options;
  if (!Number.isInteger(nPowerIterations) || nPowerIterations < 1)
    throw new ArgumentError(`${op}: nPowerIterations must be an integer >= 1, got ${String(nPowerIterations)}.`);
  if (!(eps >= 0)) throw new ArgumentError(`${op}: eps must be a number >= 0, got ${String(eps)}.`);
  const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((type) => module instanceof type);
  const dim = normalizeDim(op, options.dim ?? (transposed ? 1 : 0), weight.shape.length);
  const rows = weight.shape[dim];
  const matrixOf = (x: Tensor): Tensor =>
    reshape(movedim(x, dim, 0) as Tensor, [rows, rows === 0 ? 0 : x.numel / rows]) as Tensor;
  const start = (length: number): Tensor =>
    noGrad(() =>
      tidy(() => {
        const vector = empty([length], { dtype: weight.dtype, device: weight.device }) as Tensor;
        return normalize(normal_(vector, 0, 1, generator), eps);
      }),
    );
  const parts = {
    [`${name}_orig`]: parameter(noGrad(() => clone(weight))),
    [`${name}_u`]: start(rows),
    [`${name}_v`]: start(rows === 0 ? 0 : weight.numel / rows),
  };

  const compute = (improve: boolean): Tensor =>
    tidy(() => {
      const original = partOf(module, `${name}_orig`);
      const uBuffer = partOf(module, `${name}_u`);
      const vBuffer = partOf(module, `${name}_v`);
      const matrix = matrixOf(original);
      // The buffers change with every forward; what the graph saves must not.
      let [u, v] = isGradEnabled() && !improve ? [clone(uBuffer), clone(vBuffer)] : [uBuffer, vBuffer];
      if (improve) {
        noGrad(() => {
          for (let i = 0; i < nPowerIterations; i++) {
            v = normalize(matmul(transpose(matrix, 0, 1), u) as Tensor, eps);
            u = normalize(matmul(matrix, v) as Tensor, eps);
          }
          copy_(uBuffer, u);
          copy_(vBuffer, v);
        });
      }
      const sigma = sum(mul(u, matmul(matrix, v) as Tensor) as Tensor);
      return div(original, sigma as Tensor) as Tensor;
    });
  install(
    'spectral normalisation',
    module,
    name,
    parts,
    () => compute(module.training),
    () => compute(false),
  );
  return module;
}

/**
 * Makes a parameter one again that `spectralNorm` took over, with the normalised value. Make optimizers afterwards.
 *
 * @returns the module
 * @throws ArgumentError if it was not taken over
 */
export function removeSpectralNorm<M extends AnyModule>(module: M, name = 'weight'): M {
  uninstall('removeSpectralNorm', 'spectral normalisation', module, name);
  return module;
}
