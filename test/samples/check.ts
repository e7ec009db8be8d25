// Every row of a family of samples through every check: results and gradients against the goldens in each float dtype, gradients
// against differences, the same for inputs that do not lie contiguously in memory.
import { expect, test } from 'vitest';
import { fromTypedArray, grad, info, noGrad, type DType, type Tensor } from 'thalweg';
import { native } from '../../src/native.js';
import {
  expectClose,
  expectGolden,
  isFloat,
  makeTensor,
  numbersOf,
  readGoldens,
  type Golden,
  type GoldenTensor,
  type Layout,
  type Tolerance,
} from '../golden.js';
import { gradcheck, gradgradcheck } from '../gradcheck.js';
import type { Sample } from './sample.js';

// test/determinism.test.ts runs the goldens alone, on each instruction set.
const goldensOnly = process.env['THALWEG_TEST_GOLDENS_ONLY'] === '1';
// Differences take hundreds of runs of a row, which is too many for an emulated device; the goldens have its gradients.
const derivatives = process.env['THALWEG_TEST_DERIVATIVES'] !== '0';

const list = (value: Tensor | readonly Tensor[]): readonly Tensor[] =>
  Array.isArray(value) ? value : [value as Tensor];
const floatInputs = ({ inputs }: Golden): boolean => inputs.some(({ dtype }) => isFloat(dtype));

/** What a dtype can be expected to keep. */
function toleranceOf(sample: Sample, dtype: DType): Tolerance {
  const floor = sample.key.endsWith('/special') ? 0 : 0.01;
  if (dtype === 'float64') return { relative: sample.tolerance ?? 1e-12, floor };
  if (dtype === 'float32') return { relative: sample.tolerance32 ?? 1e-5, floor, absolute: 1e-37 };
  // One rounding of the result; the smallest float16 is 6e-8.
  return { relative: dtype === 'float16' ? 2 ** -10 : 2 ** -7, floor: 0.1, absolute: 6e-8 };
}

/** Runs a row and compares results and gradients. */
function checkGolden(sample: Sample, golden: Golden, dtype: DType, layout: Layout): void {
  const label = `${sample.key} in ${dtype}${layout === 'plain' ? '' : `, ${layout}`}`;
  const tolerance = toleranceOf(sample, dtype);
  const inputs = golden.inputs.map((input) => makeTensor(input, dtype, layout));
  const { cotangents, grads } = golden;
  const differentiable = cotangents !== undefined && grads !== undefined;
  if (differentiable) for (const input of inputs) if (isFloat(input.dtype)) input.requiresGrad_();
  const run = (): readonly Tensor[] => list(sample.run(inputs));
  const outputs = differentiable ? run() : noGrad(run);
  expect(outputs.length, label).toBe(golden.outputs.length);
  // Without a float among the inputs, a row itself says which float it makes.
  const float = floatInputs(golden) ? dtype : 'float64';
  outputs.forEach((output, i) => expectGolden(`${label}, result ${i}`, output, golden.outputs[i], float, tolerance));
  inputs.forEach((input, i) => {
    expectGolden(`${label}, input ${i} afterwards`, input, golden.inputs[i], dtype, {
      relative: 0,
      absolute: dtype === 'float64' ? 0 : 1e-7,
    });
  });
  if (!differentiable) return;
  const roots = outputs.filter((output) => output.requiresGrad);
  expect(roots.length, `${label}: results with a gradient`).toBe(cotangents.length);
  const given = cotangents.map((cotangent) => makeTensor(cotangent, dtype, layout));
  const variable = inputs.filter((input) => input.requiresGrad);
  const found = grad(roots, variable, { gradOutputs: given, allowUnused: true });
  const expected = grads.filter((_, i) => inputs[i].requiresGrad);
  // A gradient takes a few roundings more than a result, of saved values too: 1 - tanh^2 has few digits left.
  const relative = (dtype === 'float64' ? 1 : 4) * tolerance.relative;
  const forGradients = {
    relative,
    floor: dtype === 'float64' ? 0.01 : 1,
    absolute: dtype === 'float64' ? 0 : dtype === 'float32' ? 1e-6 : 2 * relative,
  };
  expected.forEach((golden, i) => {
    const name = `${label}, gradient ${i}`;
    const actual = found[i];
    // No gradient is a zero gradient.
    if (actual === null || golden === null) {
      const values = golden === null ? (actual === null ? [] : actual.dataSync()) : numbersOf(golden);
      expect(
        Array.from(values, Number).every((value) => value === 0),
        name,
      ).toBe(true);
    } else expectGolden(name, actual, golden, dtype, forGradients);
  });
}

/** Elementwise rows once more with so many elements that whole vectors, tiles and their ends occur. */
function checkLong(sample: Sample, golden: Golden, dtype: DType): void {
  const { inputs, outputs } = golden;
  const shape = outputs[0].shape.join();
  const period = outputs[0].data!.length;
  if (period === 0 || !isFloat(outputs[0].dtype) || inputs.some((input) => input.shape.join() !== shape)) return;
  const length = 1031;
  const repeated = (values: readonly number[]): Float64Array =>
    Float64Array.from({ length }, (_, i) => values[i % period]);
  const long = inputs.map((input) => {
    const values = repeated(numbersOf(input));
    return isFloat(input.dtype)
      ? fromTypedArray(values, [length], { dtype })
      : fromTypedArray(values, [length], { dtype: input.dtype });
  });
  const [actual] = list(noGrad(() => sample.run(long)));
  const expected = repeated(numbersOf(outputs[0]));
  expectClose(
    `${sample.key} in ${dtype}, repeated`,
    actual.dataSync() as ArrayLike<number>,
    dtype === 'float64' ? expected : expected.map(Math.fround),
    toleranceOf(sample, dtype),
  );
}

// A device may add up in another order where operands lie otherwise: cuBLASLt takes no expanded ones, so those are multiplied
// by an own kernel. Of a sum that is 0 only roundings are left then. Repeated inputs make such sums of what is usually none
// (equal scores have a softmax without a gradient), so how large the terms were is taken from the golden.
const sameOrder = (process.env['THALWEG_TEST_DEVICE'] ?? 'cpu') === 'cpu';

/** The largest number of a golden's tensor; 0 for none. */
const sizeOf = (golden: GoldenTensor | null): number =>
  golden === null ? 0 : numbersOf(golden).reduce((a, b) => (Number.isFinite(b) ? Math.max(a, Math.abs(b)) : a), 0);

/** A row whose inputs are expanded views gives what it gives on copies of them. */
function checkExpanded(sample: Sample, golden: Golden): void {
  const expanded = golden.inputs.map((input) => {
    const x = makeTensor(input);
    return isFloat(x.dtype) && x.shape.length > 0 && x.numel > 0 ? x.narrow(0, 0, 1).expand(x.shape) : x;
  });
  if (expanded.every((x) => x.isContiguous)) return;
  const copies = expanded.map((x) => x.clone());
  const results = [expanded, copies].map((inputs) => {
    if (golden.grads !== undefined) for (const input of inputs) if (isFloat(input.dtype)) input.requiresGrad_();
    const outputs = list(sample.run(inputs));
    const roots = outputs.filter((output) => output.requiresGrad);
    const variable = inputs.filter((input) => input.requiresGrad);
    const gradOutputs = roots.map((_, i) => makeTensor(golden.cotangents![i]));
    const grads = roots.length === 0 ? [] : grad(roots, variable, { gradOutputs, allowUnused: true });
    return [...outputs, ...grads].map((x) => (x === null ? [] : Array.from(x.dataSync(), Number)));
  });
  const grads = (golden.grads ?? []).filter((_, i) => copies[i].requiresGrad);
  const sizes = [...golden.outputs, ...grads].map(sizeOf);
  results[0].forEach((values, i) =>
    expectClose(`${sample.key}, expanded inputs, value ${i}`, values, results[1][i], {
      relative: 1e-12,
      floor: 0.01,
      // The floor once more, of the golden's largest.
      absolute: sameOrder ? 0 : 1e-14 * sizes[i],
    }),
  );
}

/** First and second derivatives against differences. */
function checkDerivatives(sample: Sample, golden: Golden): void {
  const inputs = golden.inputs.map((input) => {
    const x = makeTensor(input);
    return isFloat(x.dtype) ? x.requiresGrad_() : x;
  });
  const cotangents = golden.cotangents!.map((cotangent) => makeTensor(cotangent));
  gradcheck(sample.key, sample.run, inputs, cotangents);
  if (sample.once !== true) gradgradcheck(sample.key, sample.run, inputs, cotangents);
}

/** Defines the tests of a family of samples, with the goldens of golden/ops/<family>.json. */
export function checkSamples(family: string, samples: readonly Sample[]): void {
  const goldens = readGoldens<Record<string, Golden>>(`ops/${family}.json`);

  test('on the instruction set that was asked for', () => {
    const { THALWEG_CPU: isa, THALWEG_SYNC: sync } = process.env;
    if (isa !== undefined) expect(info().isa).toBe(isa);
    if (sync === '1') expect(native.describe().inline).toBe(true);
  });

  test('every golden has a row, every row a golden, none twice', () => {
    const keys = samples.map(({ key }) => key);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
    expect([...keys].sort()).toEqual(Object.keys(goldens).sort());
  });

  for (const sample of samples) {
    test(sample.key, () => {
      const golden = goldens[sample.key];
      checkGolden(sample, golden, 'float64', 'plain');
      const smaller = sample.only64 !== true && floatInputs(golden);
      if (smaller) checkGolden(sample, golden, 'float32', 'plain');
      if (sample.elementwise === true) {
        checkLong(sample, golden, 'float64');
        if (smaller) checkLong(sample, golden, 'float32');
      }
      if (goldensOnly) return;
      const plain = !/\/(special|kink)/.test(sample.key) && sample.noHalf !== true;
      if (smaller && plain && (sample.elementwise === true || sample.op === 'matmul')) {
        checkGolden(sample, golden, 'float16', 'plain');
        checkGolden(sample, golden, 'bfloat16', 'plain');
      }
      if (sample.fixedLayout !== true && golden.inputs.some(({ shape }) => shape.length > 0)) {
        checkGolden(sample, golden, 'float64', 'reversed');
        checkGolden(sample, golden, 'float64', 'stepped');
        if (golden.cotangents !== undefined || golden.grads === undefined) checkExpanded(sample, golden);
      }
      if (derivatives && golden.cotangents !== undefined && sample.kink !== true) checkDerivatives(sample, golden);
    });
  }
}
