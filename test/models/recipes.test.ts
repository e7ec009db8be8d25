// Recipes: plain data, and the optimizers and schedules that are made of it.
import { describe, expect, test } from 'vitest';
import { models, optim } from 'thalweg';

const { recipes } = models;
const all = Object.entries(recipes);

describe.each(all)('%s', (_, recipe) => {
  test('is plain data with a source, and makes its optimizer and schedule', () => {
    const { source, adapted, batchSize, epochs, optimizer, schedule } = recipe;
    const data = { source, adapted, batchSize, epochs, optimizer, schedule };
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
    expect(source).toMatch(/\w{3}/);
    const model = new models.CifarCNN({ imageSize: 4 });
    const made = recipe(model, { steps: 40 });
    expect(made.batchSize).toBe(batchSize);
    expect(made.optimizer).toBeInstanceOf(optim[optimizer.name]);
    const rates = made.schedule
      .trace(40)
      .slice(0, 40)
      .map(([rate]) => rate);
    for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(0);
    expect(Math.max(...rates)).toBeLessThanOrEqual(optimizer.lr! * (1 + 1e-9));
    expect(Math.max(...rates)).toBeGreaterThan(0.9 * optimizer.lr!);
    if (schedule.name === 'constant') expect(new Set(rates).size).toBe(1);
    else expect(rates[39]).toBeLessThan(0.2 * optimizer.lr!);
  });
});

test('the rate goes as the recipe says', () => {
  const model = new models.MLP(2, 2, { hidden: [3] });
  const rates = (recipe: models.recipes.Recipe, steps: number): number[] =>
    recipe(model, { steps })
      .schedule.trace(steps)
      .slice(0, steps)
      .map(([rate]) => rate);
  const steps = rates(recipes.resnet18Cifar, 8);
  [0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3].forEach((rate, i) => expect(steps[i]).toBeCloseTo(rate, 8));
  const line = rates(recipes.transformerClassifier, 20); // Two steps up, 18 down.
  [1e-4, 2e-4, 3e-4, 3e-4 * (17 / 18)].forEach((rate, i) => expect(line[i]).toBeCloseTo(rate, 8));
});

test('only matrices decay where the recipe says so', () => {
  const model = new models.MLP(2, 2, { hidden: [3] });
  const groups = recipes.gpt(model, { steps: 10 }).optimizer.paramGroups;
  expect(groups.map(({ weightDecay, params }) => [weightDecay, params.length])).toEqual([
    [0.1, 2],
    [0, 2],
  ]);
  expect(() => recipes.gpt(model, { steps: 0 })).toThrow('recipe: steps must be an integer above 0, got 0.');
  model.requiresGrad_(false);
  expect(() => recipes.gpt(model, { steps: 1 })).toThrow('the model has no parameters to train');
});
