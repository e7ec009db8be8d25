// The perceptron that several programs train on MNIST.
import { manualSeed, nn } from 'thalweg';
import { type Task, trainClassifier, type Training, type TrainingPlan } from './classify.js';
import type { Twin } from './twin.js';

export interface MlpPlan extends TrainingPlan {
  readonly model: { readonly hidden: number; readonly dropout: number };
  /** Seed of the initial weights. */
  readonly weightSeed: number;
}

export function makeMlp({ hidden, dropout }: MlpPlan['model']) {
  return new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, hidden),
    new nn.ReLU(),
    new nn.Dropout(dropout),
    new nn.Linear(hidden, 10),
  );
}

/** Trains one perceptron for each plan; plans with the same seed begin with the same weights. */
export async function trainMlps(
  task: Task,
  plans: readonly MlpPlan[],
  twin: Twin,
  { quiet = false }: { quiet?: boolean } = {},
): Promise<Training[]> {
  await twin.tensors('data', { trainX: task.train.x, trainY: task.train.y, testX: task.test.x, testY: task.test.y });
  const results: Training[] = [];
  const described: object[] = [];
  for (const plan of plans) {
    manualSeed(plan.weightSeed);
    const model = makeMlp(plan.model);
    const [weights, orders] = [`weights-${plan.weightSeed}`, `orders-${plan.seed}-${plan.epochs}`];
    await twin.weights(weights, model);
    await twin.orders(orders, task.train.length, plan.seed, plan.epochs);
    described.push({ ...plan, weights, orders });
    results.push(await trainClassifier(model, task, plan, quiet));
  }
  await twin.plan({ runs: described });
  await twin.results(results);
  return results;
}
