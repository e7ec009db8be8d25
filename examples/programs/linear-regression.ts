// y = 2x + 1 from noisy points: gradient descent, stochastic and mini-batch descent, momentum and Adam, each written out
// by hand and by `optim`; and what happens to those who make one of four common mistakes.
import {
  cat,
  data,
  fromTypedArray,
  grad,
  linalg,
  noGrad,
  ones,
  rand,
  randn,
  report,
  stack,
  type Tensor,
  zeros,
} from 'thalweg';
import { type OptimizerPlan, makeOptimizer } from '../lib/classify.js';
import { integer, number } from '../lib/flags.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, seconds, short } from '../lib/table.js';
import { type RunResult, twinIn } from '../lib/twin.js';

/** An algorithm: changes theta in place by its gradient, at step t = 1, 2, ... */
type Rule = (theta: Tensor, gradient: Tensor, t: number) => void;

const descent =
  (lr: number): Rule =>
  (theta, g) =>
    theta.sub_(g.mul(lr));

function momentum(lr: number, mu: number): Rule {
  const velocity = zeros([2, 1]);
  return (theta, g) => {
    velocity.mul_(mu).add_(g);
    theta.sub_(velocity.mul(lr));
  };
}

interface AdamVariant {
  /** What Adam's step is made of: the mean gradient and the root of the mean square. Right: one divided by the other. */
  readonly step?: (mean: Tensor, root: Tensor) => Tensor;
  /** The number of the first step. Right: 1. */
  readonly firstStep?: number;
}

function adam(lr: number, { step = (mean, root) => mean.div(root.add(1e-8)), firstStep = 1 }: AdamVariant = {}): Rule {
  const [beta1, beta2] = [0.9, 0.999];
  const [m, v] = [zeros([2, 1]), zeros([2, 1])];
  return (theta, g, t) => {
    m.mul_(beta1).add_(g.mul(1 - beta1));
    v.mul_(beta2).add_(g.square().mul(1 - beta2));
    // m and v begin at 0, and are too small by these factors at first.
    const n = t - 1 + firstStep;
    theta.sub_(step(m.div(1 - beta1 ** n), v.div(1 - beta2 ** n).sqrt()).mul(lr));
  };
}

interface Method {
  readonly name: string;
  readonly rule: () => Rule;
  readonly optimizer: OptimizerPlan;
  readonly batchSize: number;
  readonly epochs: number;
  /** How near it comes to the least squares solution: noise of the batches stays as long as the learning rate does. */
  readonly tolerance: number;
}

const methods = (points: number): Method[] => [
  {
    name: 'gradient descent',
    rule: () => descent(0.5),
    optimizer: { name: 'SGD', options: { lr: 0.5 } },
    batchSize: points,
    epochs: 200,
    tolerance: 1e-3,
  },
  {
    name: 'stochastic descent',
    rule: () => descent(0.05),
    optimizer: { name: 'SGD', options: { lr: 0.05 } },
    batchSize: 1,
    epochs: 20,
    tolerance: 0.1,
  },
  {
    name: 'mini-batch descent',
    rule: () => descent(0.2),
    optimizer: { name: 'SGD', options: { lr: 0.2 } },
    batchSize: 10,
    epochs: 50,
    tolerance: 0.1,
  },
  {
    name: 'momentum',
    rule: () => momentum(0.1, 0.9),
    optimizer: { name: 'SGD', options: { lr: 0.1, momentum: 0.9 } },
    batchSize: points,
    epochs: 200,
    tolerance: 1e-3,
  },
  {
    name: 'Adam',
    rule: () => adam(0.1),
    optimizer: { name: 'Adam', options: { lr: 0.1 } },
    batchSize: points,
    epochs: 400,
    tolerance: 1e-3,
  },
];

/** Mean squared error of y = X theta. */
const lossOf = (X: Tensor, y: Tensor, theta: Tensor): Tensor => X.matmul(theta).sub(y).square().mean();

interface Problem {
  /** [N, 2]: a column of ones, for the intercept, and the points' x. */
  readonly X: Tensor;
  /** [N, 1] */
  readonly y: Tensor;
  /** [2, 1]: intercept and slope to begin with. */
  readonly start: Tensor;
}

interface Fit extends RunResult {
  readonly theta: readonly number[];
}

/** Runs either a rule or an optimizer; the losses are those of all points after each epoch. */
async function fit(
  { X, y, start }: Problem,
  { name, batchSize, epochs, rule, optimizer: plan }: Method,
  seed: number,
  how: 'by hand' | 'optim',
): Promise<Fit> {
  const theta = start.clone().requiresGrad_();
  const loader = new data.DataLoader(new data.TensorDataset(X, y), { batchSize, shuffle: true, seed });
  const optimizer = how === 'optim' ? makeOptimizer(plan, [theta]) : undefined;
  const step = rule();
  const losses: Tensor[] = [];
  let updates = 0;
  const began = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const [bx, by] of loader) {
      const loss = lossOf(bx, by, theta);
      updates++;
      if (optimizer === undefined) {
        const [gradient] = grad(loss, [theta]);
        noGrad(() => step(theta, gradient, updates));
      } else {
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      }
    }
    losses.push(noGrad(() => lossOf(X, y, theta)));
  }
  const values = Array.from(await stack(losses).data(), Number);
  const final = Array.from(await theta.detach().flatten().data(), Number);
  return {
    name,
    losses: values,
    seconds: (performance.now() - began) / 1000,
    updates,
    theta: final,
    final: { intercept: final[0], slope: final[1] },
  };
}

/** Losses after some of the first updates with all points, the parameters at the end, and all losses. */
async function follow({ X, y, start }: Problem, rule: Rule, updates: number, gradientOf = autogradOf) {
  const theta = start.clone();
  const losses = [lossOf(X, y, theta)];
  for (let t = 1; t <= updates; t++) {
    rule(theta, gradientOf(X, y, theta), t);
    losses.push(lossOf(X, y, theta));
  }
  return {
    losses: Array.from(await stack(losses).data(), Number),
    theta: Array.from(await theta.flatten().data(), Number),
  };
}

function autogradOf(X: Tensor, y: Tensor, theta: Tensor): Tensor {
  const leaf = theta.detach().clone().requiresGrad_();
  return grad(lossOf(X, y, leaf), [leaf])[0];
}

/** The gradient as it stands in many tutorials: the error is y - X theta, and the minus that this brings is forgotten. */
const wrongSign = (X: Tensor, y: Tensor, theta: Tensor): Tensor =>
  X.t()
    .matmul(y.sub(X.matmul(theta)))
    .mul(2 / (X.shape[0] ?? 1));

interface Mistake {
  readonly title: string;
  readonly explanation: string;
  readonly right: () => ReturnType<typeof follow>;
  readonly wrong: () => ReturnType<typeof follow>;
  /** Whether the losses show what the explanation says. */
  readonly shows: (wrong: readonly number[], right: readonly number[]) => boolean;
}

function mistakesIn(problem: Problem): Mistake[] {
  const { X, y, start } = problem;
  const withoutOnes: Problem = { X: X.narrow(1, 1, 1), y, start: start.narrow(0, 1, 1) };
  const last = (losses: readonly number[]): number => losses[losses.length - 1];
  return [
    {
      title: 'a gradient with the wrong sign',
      explanation:
        'With error = y - X theta the gradient is -2/n Xᵀ error. Without the minus, descent climbs: each step makes\n' +
        'the error larger, and the larger error the next step. (Autograd has the sign right.)',
      right: () => follow(problem, descent(0.5), 200),
      wrong: () => follow(problem, descent(0.5), 200, wrongSign),
      shows: (wrong) => wrong[5] > wrong[0] && !(last(wrong) < 1e9),
    },
    {
      title: 'no column of ones',
      explanation:
        'Without it the line has to go through the origin. Descent converges as ever, to a slope that makes up for the\n' +
        'missing intercept: nothing looks wrong but the loss, which stops far above the noise.',
      right: () => follow(problem, descent(0.5), 200),
      wrong: () => follow(withoutOnes, descent(0.5), 200),
      shows: (wrong, right) => last(wrong) > 3 * last(right) && Number.isFinite(last(wrong)),
    },
    {
      title: "Adam's second moment multiplied instead of divided",
      explanation:
        'Dividing by the root of the mean square makes steps of about lr whatever the size of the gradient. Multiplying\n' +
        'makes them lr times the gradient squared: as the minimum comes near, they vanish, and so does progress.',
      right: () => follow(problem, adam(0.1), 400),
      wrong: () => follow(problem, adam(0.1, { step: (mean, root) => mean.mul(root) }), 400),
      shows: (wrong, right) => last(wrong) > 1.2 * last(right),
    },
    {
      title: 'bias correction that counts from step 0',
      explanation:
        'The correction divides by 1 - beta^t. At t = 0 that is 0, and 0.1 g / 0 is no number: everything is NaN after the\n' +
        'first step. The first step is t = 1.',
      right: () => follow(problem, adam(0.1), 400),
      wrong: () => follow(problem, adam(0.1, { firstStep: 0 }), 400),
      shows: (wrong) => Number.isNaN(wrong[1]),
    },
  ];
}

const line = ([intercept, slope]: readonly number[]): string => `y = ${short(slope)} x + ${short(intercept)}`;

export default defineProgram({
  name: 'linear-regression',
  summary: 'y = 2x + 1 by descent, momentum and Adam, by hand and by optim; four common mistakes and what they do.',
  flags: {
    points: integer(100, 'points', 10),
    noise: number(0.1, 'standard deviation of the noise in y'),
  },
  async run({ points, noise, seed, out, twin: twinFolder }) {
    const twin = twinIn(twinFolder);
    const x = rand([points, 1]);
    const X = cat([ones([points, 1]), x], 1);
    const y = x
      .mul(2)
      .add(1)
      .add(randn([points, 1]).mul(noise));
    const problem: Problem = { X, y, start: randn([2, 1]) };
    const solution = Array.from(await linalg.lstsq(X, y).solution.flatten().data(), Number);
    const floor = Number(await lossOf(X, y, fromTypedArray(Float32Array.from(solution), [2, 1])).item());
    console.log(`${points} points around y = 2 x + 1; least squares: ${line(solution)}, loss ${short(floor)}\n`);

    const list = methods(points);
    await twin.tensors('data', { X, y, start: problem.start });
    const described = [];
    const fits: Fit[] = [];
    const rows = [];
    let good = true;
    for (const method of list) {
      const { name, batchSize, epochs, optimizer, tolerance } = method;
      const byHand = await fit(problem, method, seed, 'by hand');
      const byOptim = await fit(problem, method, seed, 'optim');
      const apart = Math.max(...byHand.theta.map((v, i) => Math.abs(v - byOptim.theta[i])));
      const distance = Math.hypot(...byOptim.theta.map((v, i) => v - solution[i]));
      const orders = `orders-${epochs}`;
      await twin.orders(orders, points, seed, epochs);
      described.push({ name, batchSize, epochs, optimizer, orders });
      fits.push(byOptim);
      rows.push([
        name,
        byOptim.updates,
        line(byOptim.theta),
        short(byOptim.losses[epochs - 1]),
        distance.toExponential(1),
        apart.toExponential(1),
        seconds(byOptim.seconds),
      ]);
      if (!(distance <= tolerance) || !(apart <= 1e-4)) {
        console.error(`${name}: ${distance} from the solution, hand and optim ${apart} apart: too far.`);
        good = false;
      }
    }
    await twin.plan({ runs: described });
    await twin.results(fits);
    console.log(
      formatTable(['method', 'updates', 'found', 'loss', 'from the solution', 'by hand - optim', 'time'], rows),
    );
    await saveText(
      `${out}/losses.svg`,
      report.chart({
        title: 'Loss above that of least squares',
        xLabel: 'update',
        yLabel: 'loss - least loss',
        logY: true,
        series: fits.map(({ name, losses, updates }) => ({
          name,
          y: losses.map((loss) => Math.max(loss - floor, 1e-9)),
          x: losses.map((_, i) => ((i + 1) * updates) / losses.length),
        })),
      }),
    );

    console.log('\nMistakes, each beside the right program:');
    for (const { title, explanation, right, wrong, shows } of mistakesIn(problem)) {
      const [good1, bad] = [await right(), await wrong()];
      const at = [0, 1, 2, 5, 20, good1.losses.length - 1];
      const found = bad.theta.length === 1 ? `y = ${short(bad.theta[0])} x` : line(bad.theta);
      console.log(`\n${title}\n${explanation}`);
      console.log(
        formatTable(
          ['loss after update', ...at.map(String), 'found'],
          [
            ['  right', ...at.map((i) => short(good1.losses[i])), line(good1.theta)],
            ['  wrong', ...at.map((i) => short(bad.losses[i])), found],
          ],
        ),
      );
      if (!shows(bad.losses, good1.losses)) {
        console.error('The mistake did not do what is said of it.');
        good = false;
      }
    }
    return good;
  },
});
