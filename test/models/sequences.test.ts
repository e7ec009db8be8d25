// Transformers and sequence to sequence: caches, sampling, beams, bad input, and that they learn.
import { describe, expect, test } from 'vitest';
import { Generator, manualSeed, models, nn, noGrad, optim, tensor, type Tensor } from 'thalweg';
import { fit, integersFrom, reviews } from './data.js';

const tiny = { vocabSize: 8, contextLength: 8, width: 32, numLayers: 2, numHeads: 4, dropout: 0 };
const rows = async (x: Tensor): Promise<number[][]> => {
  const [n, length] = x.shape;
  const numbers = Array.from(await x.data(), Number);
  return Array.from({ length: n }, (_, i) => numbers.slice(i * length, (i + 1) * length));
};
const ids = (values: number[][]): Tensor => tensor(values, { dtype: 'int64' });

test('TransformerClassifier learns which keyword a text has, and does not see padding', () => {
  manualSeed(3);
  const model = new models.TransformerClassifier({ vocabSize: 12, dModel: 16, numHeads: 2, numLayers: 1, dropout: 0 });
  const [train, held] = [reviews(128, 10), reviews(200, 99)];
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
  const y = train.labels.to('float32');
  const { last } = fit(optimizer, 50, () =>
    nn.functional.binaryCrossEntropyWithLogits(model.forward(train.ids, train.lengths), y),
  );
  expect(last).toBeLessThan(0.2);
  const logits: Tensor = noGrad(() => model.forward(held.ids as never, held.lengths));
  expect(Number(logits.gt(0).to('int64').eq(held.labels).to('float32').mean().itemSync())).toBeGreaterThan(0.93);
  const alone: Tensor = model.forward(held.ids.narrow(0, 0, 1).narrow(1, 0, held.lengths[0]));
  expect(Number(alone.itemSync())).toBeCloseTo(Number(logits.select(0, 0).itemSync()), 4);
  expect(() => model.forward(held.ids as never, [11])).toThrow('there are 1 lengths of 200 texts.');
  expect(() => model.forward(ids([[1]]) as never, [2])).toThrow('lengths[0] must be an integer from 1 to 1, got 2.');
});

describe('GPT', () => {
  test('with a cache gives what it gives at once', async () => {
    manualSeed(1);
    const model = new models.GPT(tiny).eval();
    const prompt = ids([
      [1, 2, 3],
      [7, 0, 5],
    ]);
    const cache = model.newCache(2);
    noGrad(() => {
      const whole = model.forward(prompt);
      // In pieces of 1 and 2 tokens: the second piece needs a mask.
      const first = model.forward(prompt.narrow(1, 0, 1), cache);
      const rest = model.forward(prompt.narrow(1, 1, 2), cache);
      expect(cache.length).toBe(3);
      expect(first.allclose(whole.narrow(1, 0, 1), { atol: 1e-5 })).toBe(true);
      expect(rest.allclose(whole.narrow(1, 1, 2), { atol: 1e-5 })).toBe(true);
    });
    const made = await rows(await model.generate(prompt, { maxNewTokens: 5, temperature: 0 }));
    for (let length = 3; length < 8; length++) {
      const logits = noGrad(() => model.forward(ids(made.map((row) => row.slice(0, length)))));
      const next = Array.from(logits.select(1, -1).argmax(1).dataSync(), Number);
      expect(made.map((row) => row[length])).toEqual(next);
    }
    // Longer than the context: the older half is forgotten.
    expect((await model.generate(prompt, { maxNewTokens: 20 })).shape).toEqual([2, 23]);
    expect((await model.generate(ids([[1, 2, 3, 4, 5, 6, 7, 0, 1, 2]]), { maxNewTokens: 2 })).shape).toEqual([1, 12]);
    expect(() => model.forward(ids([[1, 2, 3, 4, 5, 6, 7, 0, 1]]))).toThrow(
      'GPT(ids [1,9]): there are 9 steps, the model has 8 positions.',
    );
  });

  test('stops at the end token, and draws the same for a seed', async () => {
    manualSeed(2);
    const model = new models.GPT(tiny).eval();
    const [a, b] = await Promise.all(
      [1, 2].map(() => model.generate(ids([[1]]), { maxNewTokens: 6, generator: new Generator(4) })),
    );
    expect(a.equal(b)).toBe(true);
    const first = (await rows(await model.generate(ids([[1]]), { maxNewTokens: 1, temperature: 0 })))[0][1];
    const stopped = await model.generate(ids([[1]]), { maxNewTokens: 6, temperature: 0, endToken: first });
    expect(stopped.shape).toEqual([1, 2]);
    await expect(model.generate(ids([[1]]), { temperature: -1 })).rejects.toThrow(
      'temperature must be a number from 0',
    );
    await expect(model.generate(ids([[1]]), { topP: 0 })).rejects.toThrow('topP must be above 0');
    await expect(model.generate(tensor([1n]) as Tensor)).rejects.toThrow('ids must be [N,L]');
  });

  test('learns to copy what stands before a mark', async () => {
    manualSeed(5);
    const next = integersFrom(11);
    const texts = (n: number): number[][] =>
      Array.from({ length: n }, () => {
        const word = [1 + next(6), 1 + next(6), 1 + next(6)];
        return [...word, 7, ...word];
      });
    const model = new models.GPT(tiny);
    const optimizer = new optim.AdamW(model.parameters(), { lr: 5e-3, betas: [0.9, 0.95] });
    const { first, last } = fit(optimizer, 120, () => model.loss(ids(texts(32))));
    expect(first).toBeGreaterThan(1.8);
    // The three letters at the start cannot be known: 3 log 6 / 6 is the least.
    expect(last).toBeLessThan(1.15);
    const held = texts(40);
    const prompts = ids(held.map((text) => text.slice(0, 4)));
    const made = await rows(await model.eval().generate(prompts, { maxNewTokens: 3, temperature: 0 }));
    expect(made.filter((row, i) => row.join() === held[i].join()).length).toBeGreaterThan(32);
  });
});

test('sampleLogits draws by probability, from the best tokens only', () => {
  const logits = tensor([[0, Math.log(2), Math.log(5)]])
    .expand([3000, 3])
    .contiguous() as Tensor;
  const counts = (options: models.SamplingChoice): number[] => {
    const drawn = Array.from(
      models.sampleLogits(logits, { generator: new Generator(1), ...options }).dataSync(),
      Number,
    );
    return [0, 1, 2].map((token) => drawn.filter((value) => value === token).length / 3000);
  };
  const near = (found: number[], wanted: number[]): void =>
    found.forEach((value, i) => expect(Math.abs(value - wanted[i])).toBeLessThan(wanted[i] === 0 ? 1e-9 : 0.04));
  near(counts({}), [1 / 8, 2 / 8, 5 / 8]);
  near(counts({ temperature: 0.5 }), [1 / 30, 4 / 30, 25 / 30]);
  near(counts({ topK: 2 }), [0, 2 / 7, 5 / 7]);
  near(counts({ topK: 9 }), [1 / 8, 2 / 8, 5 / 8]);
  near(counts({ topP: 0.8 }), [0, 2 / 7, 5 / 7]);
  near(counts({ topP: 0.3 }), [0, 0, 1]);
  near(counts({ temperature: 0 }), [0, 0, 1]);
});

describe.each(['bahdanau', 'luong'] as const)('Seq2Seq, %s', (attention) => {
  const sizes = { sourceVocab: 8, targetVocab: 8, embeddingDim: 16, hiddenSize: 32, attention };

  test('teacher forcing only changes what is read', () => {
    manualSeed(6);
    const model = new models.Seq2Seq(sizes).eval();
    const [source, target] = [ids([[3, 4, 5]]), ids([[1, 6, 7, 2]])];
    const forced = model.forward(source, target);
    const free = model.forward(source, target, { teacherForcing: 0 });
    expect(free.narrow(1, 0, 1).allclose(forced.narrow(1, 0, 1), { atol: 1e-6 })).toBe(true);
    // What it took for the first token, given as the true one.
    const own = Number(free.select(1, 0).argmax(1).itemSync());
    const again = model.forward(source, ids([[1, own, 7, 2]]));
    expect(free.narrow(1, 1, 1).allclose(again.narrow(1, 1, 1), { atol: 1e-5 })).toBe(true);
    expect(() => model.forward(source, ids([[1]]))).toThrow('target must be [N,T]');
    expect(() => model.forward(source, target, { teacherForcing: 2 })).toThrow('teacherForcing must be from 0 to 1');
    expect(() => new models.Seq2Seq({ ...sizes, endToken: 8 })).toThrow('endToken must be a token of the target');
  });

  test('a beam that keeps everything finds the most likely sequence', async () => {
    manualSeed(8);
    const model = new models.Seq2Seq({ ...sizes, targetVocab: 4 }).eval();
    const source = ids([[3, 4, 5]]);
    const [[best], [greedy]] = [
      await model.translate(source, { beamSize: 40, maxLength: 3 }),
      await model.translate(source, { maxLength: 3 }),
    ];
    const logProbability = (tokens: number[]): number => {
      const steps = noGrad(() => model.forward(source, ids([[1, ...tokens]]))).logSoftmax(2);
      return tokens.reduce((total, token, t) => total + Number(steps.select(1, t).select(1, token).itemSync()), 0);
    };
    // All sequences of up to three tokens that end with the end token 2, or are cut.
    const all: number[][] = [];
    const grow = (tokens: number[]): void => {
      if (tokens.length === 3 || tokens.at(-1) === 2) all.push(tokens);
      else for (let token = 0; token < 4; token++) grow([...tokens, token]);
    };
    grow([]);
    const scores = all.map(logProbability);
    const most = all[scores.indexOf(Math.max(...scores))];
    expect(best).toEqual(most.at(-1) === 2 ? most.slice(0, -1) : most);
    expect(greedy.length).toBeLessThanOrEqual(3);
    await expect(model.translate(source, { beamSize: 0 })).rejects.toThrow('beamSize must be an integer above 0');
  });

  test('learns to reverse', async () => {
    manualSeed(9);
    const next = integersFrom(12);
    const pairs = (n: number): { source: number[][]; target: number[][]; lengths: number[] } => {
      const words = Array.from({ length: n }, () => Array.from({ length: 2 + next(3) }, () => 3 + next(5)));
      const fill = (row: number[], length: number): number[] => [
        ...row,
        ...new Array<number>(length - row.length).fill(0),
      ];
      return {
        source: words.map((word) => fill(word, 4)),
        target: words.map((word) => fill([1, ...[...word].reverse(), 2], 6)),
        lengths: words.map((word) => word.length),
      };
    };
    const model = new models.Seq2Seq(sizes);
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
    const { first, last } = fit(optimizer, 120, () => {
      const { source, target, lengths } = pairs(32);
      return model.loss(ids(source), ids(target), { sourceLengths: lengths });
    });
    expect(last).toBeLessThan(first / 4);
    const held = pairs(60);
    const words = await model.eval().translate(ids(held.source), { sourceLengths: held.lengths, maxLength: 6 });
    const right = words.filter((word, i) => word.join() === held.source[i].slice(0, held.lengths[i]).reverse().join());
    expect(right.length).toBeGreaterThan(42);
    // Attention sums to 1 over the words, and to 0 over padding.
    const weights = model.attend(ids(held.source), ids(held.target), { sourceLengths: held.lengths });
    expect(weights.sum(2).allclose(weights.sum(2).mul(0).add(1), { atol: 1e-5 })).toBe(true);
    const short = held.lengths.indexOf(2);
    expect(weights.select(0, short).narrow(1, 2, 2).eq(0).all().itemSync()).toBe(true);
  });
});
