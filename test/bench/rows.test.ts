// The benchmark's rows and models are what they say. How fast they are is for `npm run bench` to say.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { noGrad } from 'thalweg';
import { models } from '../../bench/models/index.js';
import { rows } from '../../bench/rows/index.js';

const peers = new URL('../../bench/peers/', import.meta.url);

test('names are unique and simple; what is declared makes sense', () => {
  const names = rows.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, what, flops = 1, bytes = 1 } of rows) {
    expect(name).toMatch(/^[\w-]+(\/[\w@-]+)+$/);
    expect(what.length, name).toBeGreaterThan(0);
    expect(Number.isSafeInteger(flops) && flops > 0, `${name}: flops`).toBe(true);
    expect(Number.isSafeInteger(bytes) && bytes > 0, `${name}: bytes`).toBe(true);
  }
});

test('each group is there in PyTorch', () => {
  const folder = new URL('torch_rows/', peers);
  const files = readdirSync(folder).filter((file) => file.endsWith('.py'));
  const text = files.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
  for (const { name } of rows) expect(text).toContain(name.split('/')[0]);
});

describe('runs', () => {
  // Those that take little; the rest differ from them in sizes.
  const small = [
    'add4/',
    'matmul/',
    'parallel/',
    'gemm/nt/128x10x512',
    'gemv/',
    'program/',
    'adam/8x256',
    'adam/200x10k',
  ];
  const medium = [
    'busy/',
    'bf16gemm/512',
    'conv3x3/3-32@32',
    'depthwise',
    'relu/8MB',
    'softmax/',
    'layernorm/',
    'batchnorm/',
  ];
  const recurrent = ['lstm/', 'gru/', 'train/mlp/8', 'infer/mlp'];
  const chosen = [...small, ...medium, ...recurrent];
  for (const row of rows.filter(({ name }) => chosen.some((start) => name.startsWith(start)))) {
    test(row.name, async () => {
      const work = row.prepare();
      try {
        await work.run(2);
      } finally {
        await work.close?.();
      }
    });
  }
});

describe('trains, and has as many parameters as it says', () => {
  for (const model of models) {
    test(model.name, () => {
      const subject = model.make(2);
      const parameters = subject.model.parameters();
      expect(parameters.reduce((sum, p) => sum + p.numel, 0)).toBe(model.parameters);
      const before = parameters.map((p) => noGrad(() => p.clone()));
      subject.train();
      for (const [i, p] of parameters.entries()) {
        expect(
          noGrad(() => p.isfinite().all().itemSync()),
          `parameter ${i} is finite`,
        ).toBe(true);
        // Of an embedding only the rows that were looked up.
        expect(
          noGrad(() => p.eq(before[i]).all().itemSync()),
          `parameter ${i} is as before`,
        ).toBe(false);
      }
      subject.model.eval();
      expect(noGrad(() => subject.infer()).shape[0]).toBe(1);
    });
  }
});
