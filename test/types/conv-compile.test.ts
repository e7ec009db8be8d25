import { expect, test } from 'vitest';
import { diagnose } from './compiler.js';

const prelude = `import { cat, nn, zeros, type Tensor } from '../../src/index.js';\n`;

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
  batchNorm: [
    'new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.BatchNorm2d(16))',
    'BatchNorm2d(16): [...,8,?,?] has 8 channels, not 16',
  ],
  layerNorm: [
    'new nn.Sequential(new nn.Linear(4, 8), new nn.LayerNorm(9))',
    'LayerNorm(9): the last dimension of [...,8] is not 9',
  ],
  lstm: ['new nn.LSTM(5, 6).forward(zeros([2, 3, 4]))', 'LSTM(5, 6): last dimension of [2,3,4] is 4, expected 5'],
  cat: ['cat([zeros([2, 3]), zeros([4, 4])])', 'cannot join along dimension 0 [2,3] and [4,4]'],
  functional: [
    'nn.functional.conv2d(zeros([1, 3, 9, 9]), zeros([8, 4, 3, 3]))',
    'conv2d(4, 8): [1,3,9,9] has 3 channels, expected 4',
  ],
  functionalLinear: [
    'nn.functional.linear(zeros([9, 128]), zeros([10, 64]))',
    'last dimension of [9,128] is 128, expected 64',
  ],
} as const;
const names = Object.keys(wrong) as (keyof typeof wrong)[];

test('chains with convolutions are checked, also long ones', { timeout: 60_000 }, () => {
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
  const found = diagnose(snippets);
  expect(found['long']).toEqual([]);
  expect(found['plain']).toEqual([]);
  for (const name of names) {
    expect(found[name], name).toHaveLength(1);
    expect(found[name][0], name).toContain(`ShapeMismatch<"${wrong[name][1]}">`);
  }
});
