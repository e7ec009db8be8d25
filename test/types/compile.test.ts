import { expect, test } from 'vitest';
import { diagnose } from './compiler.js';

const prelude = `import { Tensor, zeros, add, matmul, linear, Linear, ReLU, Flatten, Mystery, Sequential } from './demo.js';
declare const unknownRank: Tensor;
declare const unknownDim: Tensor<readonly [number, 3]>;
declare const n: number;
`;
const preludeLines = prelude.split('\n').length - 1;

/** Code that must not compile, and the message it must give. */
const wrong = {
  matmulInner: ['matmul(zeros([2, 3]), zeros([5, 4]))', 'inner dimensions differ: 3 vs 5'],
  matmulVectors: ['matmul(zeros([3]), zeros([4]))', 'inner dimensions differ: 3 vs 4'],
  matmulHalfKnown: ['matmul(unknownDim, zeros([5, 4]))', 'inner dimensions differ: 3 vs 5'],
  matmulBatch: ['matmul(zeros([2, 2, 3]), zeros([4, 3, 4]))', 'cannot broadcast batch dimensions [2] with [4]'],
  matmulScalar: ['matmul(zeros([]), zeros([4]))', 'matmul needs at least 1 dimension, the left side is a scalar'],
  broadcast: ['add(zeros([2, 3]), zeros([4, 3]))', 'cannot broadcast [2,3] with [4,3]'],
  broadcastUnknownDim: ['add(unknownDim, zeros([7, 4]))', 'cannot broadcast [?,3] with [7,4]'],
  sum: ['zeros([2, 3]).sum(2)', 'dimension 2 is out of range for [2,3]'],
  sumSeveral: ['zeros([2, 3]).sum([0, -3])', 'dimension -3 is out of range for [2,3]'],
  reshape: ['zeros([2, 3]).reshape([4, 2])', 'cannot reshape [2,3] (6 elements) to [4,2] (8 elements)'],
  reshapeRest: ['zeros([2, 3]).reshape([4, -1])', 'cannot reshape [2,3] (6 elements) to [4,-1]'],
  reshapeTwice: ['zeros([2, 3]).reshape([-1, -1])', 'only one dimension can be -1 in [-1,-1]'],
  expand: ['zeros([2, 3]).expand([4, 4])', 'cannot expand [2,3] to [4,4]'],
  permute: ['zeros([2, 3]).permute([0, 0])', 'permute of [2,3] must name each dimension once, got [0,0]'],
  unsqueeze: ['zeros([2, 3]).unsqueeze(3)', 'dimension 3 is out of range for unsqueeze of [2,3]'],
  linear: ['linear(zeros([9, 128]), zeros([10, 64]))', 'last dimension of [9,128] is 128, expected 64'],
  layer: [
    'new Linear(784, 10).forward(zeros([64, 756]))',
    'Linear(784, 10): last dimension of [64,756] is 756, expected 784',
  ],
  chain: [
    'new Sequential(new Linear(784, 128), new Linear(64, 10))',
    'Linear(64, 10): last dimension of [...,128] is 128, expected 64',
  ],
  chainLong: [
    'new Sequential(new Flatten(), new Linear(784, 128), new ReLU(), new Linear(64, 10), new ReLU())',
    'Linear(64, 10): last dimension of [?,128] is 128, expected 64',
  ],
  chainNested: [
    'new Sequential(new Sequential(new Linear(4, 5), new ReLU()), new Linear(6, 7))',
    'Linear(6, 7): last dimension of [...,5] is 5, expected 6',
  ],
  chainInput: [
    'new Sequential(new Flatten(), new Linear(784, 10)).forward(zeros([64, 1, 28, 27]))',
    'Linear(784, 10): last dimension of [64,756] is 756, expected 784',
  ],
  chainFlatten: [
    'new Sequential(new Flatten(), new Linear(784, 10)).forward(zeros([784]))',
    'Flatten: dimension 1 is out of range for [784]',
  ],
} as const;

/** Code that must compile, and the shape it must give. */
const right = {
  matmul: ['matmul(zeros([7, 1, 2, 3]), zeros([5, 3, 4]))', '[7, 5, 2, 4]'],
  matmulUnknownRank: ['matmul(unknownRank, zeros([5, 4]))', 'number[]'],
  matmulUnknownDim: ['matmul(unknownDim, zeros([3, 4]))', '[number, 4]'],
  matmulBothUnknown: ['matmul(unknownRank, unknownRank)', 'number[]'],
  broadcast: ['add(zeros([2, 1]), zeros([3]))', '[2, 3]'],
  broadcastUnknown: ['add(unknownDim, zeros([7, 3]))', '[7, 3]'],
  broadcastUnknownRank: ['add(unknownRank, zeros([7, 3]))', 'number[]'],
  dynamicSize: ['add(zeros([n, 3]), zeros([4, 1]))', '[4, 3]'],
  sum: ['zeros([2, 3, 4]).sum(-2, { keepDim: true })', '[2, 1, 4]'],
  sumAll: ['zeros([2, 3, 4]).sum()', '[]'],
  sumSeveral: ['zeros([2, 3, 4]).sum([0, -1])', '[3]'],
  sumUnknown: ['zeros([2, 3, 4]).sum(n)', '[number, number]'],
  reshape: ['zeros([128, 1, 28, 28]).reshape([-1, 784])', '[128, 784]'],
  reshapeUnknown: ['zeros([n, 1, 28, 28]).reshape([-1, 784])', '[number, 784]'],
  flatten: ['zeros([64, 512, 7, 7]).flatten(1)', '[64, 25088]'],
  linear: ['linear(unknownRank, zeros([10, 64]))', '[...number[], 10]'],
  chain: ['new Sequential(new Flatten(), new Linear(784, 10)).forward(zeros([64, 1, 28, 28]))', '[64, 10]'],
  chainMystery: [
    'new Sequential(new Linear(4, 5), new Mystery(), new Linear(6, 7)).forward(zeros([2, 4]))',
    '[...number[], 7]',
  ],
  chainDynamic: [
    'new Sequential(new Linear(n, 5), new Linear(5, n), new Linear(7, 1)).forward(zeros([2, 3]))',
    '[2, 1]',
  ],
  chainOfAny: ['new Sequential(...([] as (Linear<1, 2> | ReLU)[])).forward(zeros([2, 3]))', 'number[]'],
} as const;

const wrongNames = Object.keys(wrong) as (keyof typeof wrong)[];
const rightNames = Object.keys(right) as (keyof typeof right)[];

test('the compiler refuses wrong shapes and says why, and knows the right ones', { timeout: 60_000 }, () => {
  const snippets: Record<string, string> = {};
  for (const name of wrongNames) snippets[`wrong-${name}`] = `${prelude}${wrong[name][0]};\n`;
  for (const name of rightNames) {
    snippets[`right-${name}`] = `${prelude}const result = ${right[name][0]};
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same: Same<typeof result.shape, readonly ${right[name][1]}> = true;
`;
  }
  // A long model must not make an editor wait.
  const layers = Array.from({ length: 60 }, (_, i) => (i % 2 ? 'new ReLU()' : `new Linear(${100 + i}, ${102 + i})`));
  snippets['long'] = `${prelude}const model = new Sequential(${layers.join(', ')});
const y: Tensor<readonly [7, 160]> = model.forward(zeros([7, 100]));
new Sequential(model, new Linear(161, 2));
`;
  const found = diagnose(snippets);
  for (const name of wrongNames) {
    const messages = found[`wrong-${name}`];
    expect(messages, name).toHaveLength(1);
    expect(messages[0]).toMatch(new RegExp(`^${preludeLines + 1}: `));
    expect(messages[0], name).toContain(`ShapeMismatch<"${wrong[name][1]}">`);
  }
  for (const name of rightNames) expect(found[`right-${name}`], name).toEqual([]);
  expect(found['long']).toHaveLength(1);
  expect(found['long'][0]).toContain(
    'ShapeMismatch<"Linear(161, 2): last dimension of [...,160] is 160, expected 161">',
  );
});
