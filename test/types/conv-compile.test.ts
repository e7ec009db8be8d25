import { expect, test } from 'vitest';
import { diagnose } from './compiler.js';

const prelude = `import { nn, zeros, type Tensor } from '../../src/index.js';\n`;

/** Code that must not compile, and the message it must give. */
const wrong = {
  chain: [
    'new nn.Sequential(new nn.Conv2d(3, 32, 3), new nn.ReLU(), new nn.Conv2d(16, 8, 3))',
    'Conv2d(16, 8): [...,32,?,?] has 32 channels, expected 16',
  ],
  input: [
    'new nn.Conv2d(1, 8, 3).forward(zeros([4, 3, 28, 28]))',
    'Conv2d(1, 8): [4,3,28,28] has 3 channels, expected 1',
  ],
  kernel: [
    'new nn.Conv2d(3, 8, [3, 5], { padding: [1, 0] }).forward(zeros([4, 3, 4, 4]))',
    'Conv2d(3, 8): kernel 5 is larger than the padded size 4 of [4,3,4,4]',
  ],
  flatten: [
    'new nn.Sequential(new nn.Conv2d(1, 8, 3, { stride: 2 }), new nn.Flatten(), new nn.Linear(1353, 10)).forward(zeros([4, 1, 28, 28]))',
    'Linear(1353, 10): last dimension of [4,1352] is 1352, expected 1353',
  ],
} as const;
const names = Object.keys(wrong) as (keyof typeof wrong)[];

test('chains with convolutions are checked, and long ones quickly', { timeout: 60_000 }, () => {
  const layers = Array.from({ length: 60 }, (_, i) =>
    i % 2
      ? 'new nn.ReLU()'
      : `new nn.Conv2d(${3 + i}, ${5 + i}, ${1 + (i % 3)}, { padding: 1, stride: ${1 + (i % 4 === 0 ? 0 : 1)} })`,
  );
  const snippets: Record<string, string> = {
    long: `${prelude}export const y = new nn.Sequential(${layers.join(', ')}).forward(zeros([7, 3, 224, 224]));\n`,
    plain: `${prelude}export const y: Tensor<readonly [4, 8, 13, 13]> = new nn.Conv2d(1, 8, 3, { stride: 2 }).forward(zeros([4, 1, 28, 28]));
export const layer: nn.Conv2d = new nn.Conv2d(3, 8, 3, { stride: 2 });
export const z: Tensor = layer.forward(zeros([4, 1, 28, 28]));
`,
  };
  for (const name of names) snippets[name] = `${prelude}${wrong[name][0]};\n`;
  const start = performance.now();
  const found = diagnose(snippets);
  expect(performance.now() - start).toBeLessThan(40_000);
  expect(found['long']).toEqual([]);
  expect(found['plain']).toEqual([]);
  for (const name of names) {
    expect(found[name], name).toHaveLength(1);
    expect(found[name][0], name).toContain(`ShapeMismatch<"${wrong[name][1]}">`);
  }
});
