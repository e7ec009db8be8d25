// A linear regression of eight features, of which four matter: how L2 (ridge) and L1 (lasso) shrink the coefficients as
// their strength grows. Ridge is compared with its closed form, lasso with coordinate descent. By the subgradient of |b|,
// as when L1 is added to the loss, coefficients hover about 0; by the proximal step (soft thresholding) they are 0.
import { cat, eye, fromTypedArray, linalg, optim, randn, report, type Tensor, zeros } from 'thalweg';
import { integer, number } from '../lib/flags.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, seconds, short } from '../lib/table.js';
import { type RunResult, twinIn } from '../lib/twin.js';

const truth = [3, -2, 1.5, 0, 0, 0.8, 0, 0];
const features = truth.length;

/** How near descent comes to the exact solutions; everything is float64. */
const TOLERANCE = 1e-6;

/** The coefficients for each strength. */
type Path = readonly (readonly number[])[];

interface Problem {
  /** [N, 8], columns of mean 0 and mean square 1. */
  readonly X: Tensor;
  /** [N, 1], of mean 0, so that there is no intercept. */
  readonly y: Tensor;
  /** XᵀX / N and Xᵀy / N. */
  readonly gram: Tensor;
  readonly moment: Tensor;
}

/** Neighbouring features have a correlation of a half. */
function makeProblem(samples: number, noise: number): Problem {
  const fresh = randn([samples, features], { dtype: 'float64' });
  const columns: Tensor[] = [fresh.narrow(1, 0, 1)];
  for (let j = 1; j < features; j++)
    columns.push(columns[j - 1].mul(0.5).add(fresh.narrow(1, j, 1).mul(Math.sqrt(0.75))));
  const raw = cat(columns, 1);
  const centred = raw.sub(raw.mean(0));
  const X = centred.div(centred.square().mean(0).sqrt());
  const clean = X.matmul(fromTypedArray(Float64Array.from(truth), [features, 1]));
  const noisy = clean.add(randn([samples, 1], { dtype: 'float64' }).mul(noise));
  const y = noisy.sub(noisy.mean());
  return { X, y, gram: X.t().matmul(X).div(samples), moment: X.t().matmul(y).div(samples) };
}

const numbers = async (x: Tensor): Promise<number[]> => Array.from(await x.detach().flatten().data(), Number);

/** Ridge: the minimum of |y - Xb|² / 2N + strength |b|² / 2 solves (XᵀX / N + strength I) b = Xᵀy / N. */
async function ridgeExactly({ gram, moment }: Problem, strengths: readonly number[]): Promise<Path> {
  const identity = eye(features, features, { dtype: 'float64' });
  return Promise.all(strengths.map((s) => numbers(linalg.solve(gram.add(identity.mul(s)), moment))));
}

/**
 * Lasso: the minimum of |y - Xb|² / 2N + strength |b|₁, one coefficient after the other until none moves. Each has a closed
 * form while the others stand still (Friedman, Hastie and Tibshirani 2010).
 */
async function lassoByCoordinates({ gram, moment }: Problem, strengths: readonly number[]): Promise<Path> {
  const [G, c] = [await numbers(gram), await numbers(moment)];
  const b = new Array<number>(features).fill(0);
  return strengths.map((strength) => {
    for (let sweep = 0; sweep < 10_000; sweep++) {
      let moved = 0;
      for (let j = 0; j < features; j++) {
        let rest = c[j];
        for (let k = 0; k < features; k++) if (k !== j) rest -= G[j * features + k] * b[k];
        const next = (Math.sign(rest) * Math.max(0, Math.abs(rest) - strength)) / G[j * features + j];
        moved = Math.max(moved, Math.abs(next - b[j]));
        b[j] = next;
      }
      if (moved < 1e-14) break;
    }
    return [...b];
  });
}

interface Descent {
  readonly path: Path;
  readonly losses: readonly number[];
  readonly seconds: number;
}

/** Gradient descent for each strength in turn, from where the one before ended. */
async function descend(
  { X, y }: Problem,
  strengths: readonly number[],
  steps: number,
  optionsOf: (strength: number) => Partial<optim.SGDOptions>,
): Promise<Descent> {
  const b = zeros([features, 1], { dtype: 'float64', requiresGrad: true });
  const lossOf = (): Tensor => X.matmul(b).sub(y).square().mean().div(2);
  const path: number[][] = [];
  const losses: number[] = [];
  const start = performance.now();
  for (const strength of strengths) {
    const optimizer = new optim.SGD([b], optionsOf(strength));
    for (let step = 0; step < steps; step++) {
      optimizer.zeroGrad();
      lossOf().backward();
      optimizer.step();
    }
    path.push(await numbers(b));
    losses.push(Number(await lossOf().item()));
  }
  return { path, losses, seconds: (performance.now() - start) / 1000 };
}

const largestDifference = (a: Path, b: Path): number =>
  Math.max(...a.map((row, i) => Math.max(...row.map((value, j) => Math.abs(value - b[i][j])))));

const zerosIn = (b: readonly number[]): number => b.filter((value) => value === 0).length;

export default defineProgram({
  name: 'regularization-paths',
  summary: 'L1 and L2 on a linear regression: coefficient paths, against the exact solutions; subgradient or proximal.',
  flags: {
    samples: integer(100, 'samples', 2 * features),
    noise: number(1, 'standard deviation of the noise in y'),
    strengths: integer(25, 'strengths of the regularisation', 2),
    steps: integer(300, 'steps of descent for each strength'),
  },
  async run({ samples, noise, strengths: count, steps, out, twin: twinFolder }) {
    const twin = twinIn(twinFolder);
    const problem = makeProblem(samples, noise);
    const moment = await numbers(problem.moment);
    // Beyond its largest part lasso has no coefficient left.
    const strongest = 1.01 * Math.max(...moment.map(Math.abs));
    // Strong first: each descent begins near its end, where the one before stopped.
    const strengths = Array.from({ length: count }, (_, i) => strongest * 1e-3 ** (i / (count - 1)));
    // Steps of 1 / (largest curvature) converge for each strength of L1; L2 adds its own curvature.
    const curvature = Math.max(...(await numbers(linalg.eigvalsh(problem.gram))));
    const lr = 1 / curvature;

    await twin.tensors('data', { X: problem.X, y: problem.y });
    await twin.plan({ steps, strengths, lr, curvature });

    const ridge = await ridgeExactly(problem, strengths);
    const lasso = await lassoByCoordinates(problem, strengths);
    const byDecay = await descend(problem, strengths, steps, (s) => ({ lr: 1 / (curvature + s), weightDecay: s }));
    const byProximal = await descend(problem, strengths, steps, (s) => ({ lr, l1: s, l1Mode: 'proximal' }));
    const bySubgradient = await descend(problem, strengths, steps, (s) => ({ lr, l1: s, l1Mode: 'loss' }));
    const slowly = await descend(problem, strengths, steps, (s) => ({ lr: lr / 10, l1: s, l1Mode: 'loss' }));

    const ridgeApart = largestDifference(byDecay.path, ridge);
    const lassoApart = largestDifference(byProximal.path, lasso);
    const sameZeros = lasso.every((b, i) => b.every((v, j) => (v === 0) === (byProximal.path[i][j] === 0)));
    console.log(`${samples} samples, coefficients ${truth.join(', ')}, noise ${noise}; ${count} strengths\n`);
    console.log(
      formatTable(
        ['strength', ...truth.map((v) => `b=${v}`), 'zeros', 'zeros by subgradient'],
        lasso
          .map((b, i) => [
            strengths[i].toFixed(4),
            ...b.map((v) => (v === 0 ? '.' : v.toFixed(3))),
            zerosIn(byProximal.path[i]),
            zerosIn(bySubgradient.path[i]),
          ])
          .filter((_, i) => i % Math.max(1, Math.floor(count / 8)) === 0),
      ),
    );
    const farthest = ({ path }: Descent): number =>
      Math.max(0, ...path.flatMap((b, i) => b.filter((_, j) => lasso[i][j] === 0).map(Math.abs)));
    console.log('');
    console.log(
      formatTable(
        ['', 'compared with', 'largest difference', 'time'],
        [
          ['ridge: SGD, weightDecay', 'closed form', ridgeApart.toExponential(1), seconds(byDecay.seconds)],
          [
            "lasso: SGD, l1Mode 'proximal'",
            'coordinate descent',
            lassoApart.toExponential(1),
            seconds(byProximal.seconds),
          ],
          [
            "lasso: SGD, l1Mode 'loss'",
            'coordinate descent',
            largestDifference(bySubgradient.path, lasso).toExponential(1),
            seconds(bySubgradient.seconds),
          ],
          [
            'the same, a tenth of the learning rate',
            'coordinate descent',
            largestDifference(slowly.path, lasso).toExponential(1),
            seconds(slowly.seconds),
          ],
        ],
      ),
    );
    console.log(
      `\nThe proximal zeros ${sameZeros ? 'are' : 'are not'} those of coordinate descent. By the subgradient what should be 0 goes back and\n` +
        `forth across it, up to ${short(farthest(bySubgradient))} away; a tenth of the learning rate makes that ${short(farthest(slowly))}, never 0.`,
    );

    for (const [name, title, path] of [
      ['ridge', 'Ridge: L2 shrinks all coefficients, none to 0', byDecay.path],
      ['lasso', 'Lasso: L1 by proximal steps', byProximal.path],
      ['lasso-subgradient', 'Lasso: L1 by subgradients', bySubgradient.path],
    ] as const) {
      await saveText(
        `${out}/${name}.svg`,
        report.chart({
          title,
          xLabel: 'strength of the regularisation',
          yLabel: 'coefficient',
          logX: true,
          series: truth.map((value, j) => ({ name: `b${j + 1} = ${value}`, x: strengths, y: path.map((b) => b[j]) })),
        }),
      );
    }
    const result = (name: string, { losses, seconds: s, path }: Descent): RunResult => ({
      name,
      losses,
      seconds: s,
      updates: steps * count,
      final: Object.fromEntries(path[count - 1].map((v, j) => [`b${j + 1}`, v])),
    });
    await twin.results([
      result('ridge', byDecay),
      result('lasso proximal', byProximal),
      result('lasso subgradient', bySubgradient),
    ]);
    if (steps >= 300 && !(ridgeApart <= TOLERANCE && lassoApart <= TOLERANCE && sameZeros)) {
      console.error(`Farther than ${TOLERANCE} from the exact solutions, or other coefficients are 0.`);
      return false;
    }
    return true;
  },
});
