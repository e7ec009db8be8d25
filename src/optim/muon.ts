// Muon.
import { ArgumentError } from '../errors.js';
import { add as addTensors, mul as mulTensors } from '../ops/arithmetic.js';
import { emptyLike } from '../ops/creation.js';
import { matmul } from '../ops/matmul.js';
import { t as transposed } from '../ops/view.js';
import { tidy } from '../memory.js';
import { formatShape } from '../shape.js';
import { add, div, maximum, mul, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCommon, checkOption, checkTuple, column, stateTensor, type CommonOptions } from './common.js';
import { Optimizer, type OptimizerOptions, type ParametersLike, type ParameterState } from './optimizer.js';
import { l2Norms } from './norms.js';

/** Options of `Muon`. Weight decay is decoupled by default. */
export interface MuonOptions extends CommonOptions {
  /** Default 0.95. */
  momentum: number;
  /** Nesterov's look-ahead. Default true. */
  nesterov: boolean;
  /** Coefficients of the Newton-Schulz polynomial. Default [3.4445, -4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** The least norm that a direction is divided by. Default 1e-7. */
  eps: number;
  /** Newton-Schulz iterations, fewer than 100. Default 5. */
  nsSteps: number;
  /**
   * How the learning rate fits a matrix of A rows and B columns: `'original'` (default) times sqrt(max(1, A / B)),
   * `'match_rms_adamw'` times 0.2 * sqrt(max(A, B)).
   */
  adjustLrFn: 'original' | 'match_rms_adamw';
}

const direction = program({
  name: 'Muon',
  tensors: ['d', 'g', 'p', 'buffer'],
  scalars: ['sign', 'coupled', 'momentum', 'ahead'],
  update: (x) => {
    const g = add(mul(x.sign, x.g), mul(x.coupled, x.p));
    const buffer = add(mul(x.momentum, x.buffer), mul(sub(1, x.momentum), g));
    const looked = add(g, mul(x.momentum, sub(buffer, g)));
    return { buffer, d: add(mul(x.ahead, looked), mul(sub(1, x.ahead), buffer)) };
  },
});

const normalized = program({
  name: 'Muon',
  tensors: ['d', 'norm'],
  scalars: ['eps'],
  update: ({ d, norm, eps }) => ({ d: div(d, maximum(norm, eps)) }),
});

const step = program({
  name: 'Muon',
  tensors: ['p', 'o'],
  scalars: ['lr', 'keep'],
  update: ({ p, o, lr, keep }) => ({ p: sub(mul(keep, p), mul(lr, o)) }),
});

/**
 * Momentum whose matrices are orthogonalised before the step, for the hidden layers' 2-d weights; give biases, norms and
 * embeddings to another optimizer.
 *
 *     b = momentum * b + (1 - momentum) * g
 *     d = nesterov ? (1 - momentum) * g + momentum * b : b
 *     x = d / |d|, then nsSteps times  x = a x + (b' A + c A A) x  with  A = x x^T
 *     p = p - lr * weightDecay * p - lr * ratio * x
 *
 * The iterations run in the parameter's dtype (PyTorch's in bfloat16). Jordan et al. 2024; Liu et al. 2025, Muon is
 * scalable for LLM training.
 *
 * @example
 * const muon = new optim.Muon(model.parameters().filter((p) => p.shape.length === 2), { lr: 0.02 });
 */
export class Muon extends Optimizer<MuonOptions> {
  constructor(params: ParametersLike<MuonOptions>, options: OptimizerOptions<MuonOptions> = {}) {
    super(
      'Muon',
      params,
      {
        lr: 1e-3,
        momentum: 0.95,
        nesterov: true,
        nsCoefficients: [3.4445, -4.775, 2.0315],
        eps: 1e-7,
        nsSteps: 5,
        adjustLrFn: 'original',
        weightDecay: 0.1,
        decoupledWeightDecay: true,
        maximize: false,
      },
      options,
    );
  }

  override addParamGroup(group: OptimizerOptions<MuonOptions> & { readonly params: Iterable<Tensor> }): void {
    const params = [...group.params];
    params.forEach((p, i) => {
      if (p?.shape?.length !== 2 && p?.shape !== undefined) {
        throw new ArgumentError(
          `Muon: params[${i}] has shape ${formatShape(p.shape)}; Muon takes matrices only, give the others to AdamW.`,
        );
      }
    });
    super.addParamGroup({ ...group, params });
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: MuonOptions): void {
    checkCommon('Muon', o);
    checkOption('Muon', 'momentum', o.momentum);
    checkOption('Muon', 'eps', o.eps);
    checkOption('Muon', 'nsSteps', o.nsSteps, 0, 100);
    checkTuple('Muon', 'nsCoefficients', o.nsCoefficients, 3, [[-Infinity, Infinity]]);
    if (o.adjustLrFn !== 'original' && o.adjustLrFn !== 'match_rms_adamw') {
      throw new ArgumentError(
        `Muon: adjustLrFn must be 'original' or 'match_rms_adamw', got ${JSON.stringify(o.adjustLrFn)}.`,
      );
    }
  }

  protected override initialState(p: Tensor): ParameterState {
    return { buffer: stateTensor(p) };
  }

  protected override update(o: MuonOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const { lr, momentum, decoupledWeightDecay: decoupled } = o;
    const d = p.map((x) => emptyLike(x));
    const values = {
      sign: o.maximize ? -1 : 1,
      coupled: decoupled ? 0 : o.weightDecay,
      momentum,
      ahead: o.nesterov ? 1 : 0,
    };
    direction.run({ d, g, p, buffer: column(states, 'buffer') }, values);
    const norm = l2Norms(d, 'whole');
    normalized.run({ d, norm }, { eps: o.eps });
    p.forEach((x, i) => {
      const orthogonal = tidy(() => orthogonalized(d[i], o.nsCoefficients, o.nsSteps));
      const [rows, columns] = x.shape as readonly [number, number];
      const ratio =
        o.adjustLrFn === 'original' ? Math.sqrt(Math.max(1, rows / columns)) : 0.2 * Math.sqrt(Math.max(rows, columns));
      step.run({ p: [x], o: [orthogonal] }, { lr: lr * ratio, keep: decoupled ? 1 - lr * o.weightDecay : 1 });
      orthogonal.dispose();
    });
    for (const x of [...d, ...norm]) x.dispose();
  }
}

/** Newton-Schulz: the singular values of a matrix of norm 1 go to about 1. */
function orthogonalized(d: Tensor, [a, b, c]: readonly [number, number, number], steps: number): Tensor {
  const [rows, columns] = d.shape as readonly [number, number];
  const tall = rows > columns;
  let x: Tensor = tall ? transposed(d) : d;
  for (let i = 0; i < steps; i++) {
    const gram = matmul(x, transposed(x));
    const polynomial = addTensors(mulTensors(gram, b), mulTensors(matmul(gram, gram), c));
    x = addTensors(mulTensors(x, a), matmul(polynomial, x));
  }
  // A tensor of its own also without iterations.
  return mulTensors(tall ? transposed(x) : x, 1);
}
