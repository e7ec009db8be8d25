// What must not be forgotten: a sample for every op, a typed line for every kernel, a name for every instruction, a method
// for every function tagged @method.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import ts from 'typescript';
import { nn } from 'thalweg';
import { native } from '../src/native.js';
import { definedOps } from '../src/ops/define.js';
import * as ops from '../src/ops/index.js';
import { opcodes } from '../src/program/opcodes.js';
import { samples } from './samples/index.js';

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name: string): string => readFileSync(path(name), 'utf8');
const sampled = new Set(samples.map(({ op }) => op));

/** Names in a macro list: NAME(first, ...) at the start of a line. */
function macroNames(file: string, macro: string): string[] {
  return [...read(file).matchAll(new RegExp(`^${macro}\\((\\w+),`, 'gm'))].map(([, name]) => name);
}

describe('every op has a sample', () => {
  test('ops made by defineOp and defineElementwise', () => {
    // Ops named ...Backward are gradients of others; the second derivatives of the others' samples run them.
    // Parts of ops whose samples run them: the gradient of maxPoolBackward, and maxPool2d with returnIndices.
    const parts = ['maxPoolTake', 'maxPoolIndices'];
    const missing = [...definedOps].filter(
      (name) => !sampled.has(name) && !name.includes('Backward') && !parts.includes(name),
    );
    expect(missing).toEqual([]);
  });

  // Functions of the public modules that are no ops on given values.
  const others: Readonly<Record<string, string>> = {
    allclose: 'maths.test.ts',
    backward: 'autograd.test.ts',
    bernoulli: 'random.test.ts',
    cholesky: 'linalg.test.ts',
    det: 'linalg.test.ts',
    inverse: 'linalg.test.ts',
    pinverse: 'linalg.test.ts',
    qr: 'linalg.test.ts',
    slogdet: 'linalg.test.ts',
    defineElementwise: 'program.test.ts',
    defineMultiOp: 'program.test.ts',
    defineOp: 'program.test.ts',
    empty: 'has no values',
    emptyLike: 'has no values',
    equal: 'maths.test.ts',
    fromBytes: 'reads data',
    fromTypedArray: 'reads data',
    Generator: 'random.test.ts',
    manualSeed: 'random.test.ts',
    normal_: 'random.test.ts',
    rand: 'random.test.ts',
    randint: 'random.test.ts',
    randn: 'random.test.ts',
    randperm: 'random.test.ts',
    registerHook: 'hooks.test.ts',
    resultDType: 'program.test.ts',
    setConvWinograd: 'conv.test.ts',
    tensor: 'reads data',
    uniform_: 'random.test.ts',
    randnLike: 'sampling.test.ts',
    randintLike: 'sampling.test.ts',
    randLike: 'sampling.test.ts',
    normal: 'sampling.test.ts',
    multinomial: 'sampling.test.ts',
    gumbelSoftmax: 'sampling.test.ts',
    exponential_: 'sampling.test.ts',
    bernoulli_: 'sampling.test.ts',
  };
  test.each([
    ['ops', ops],
    ['nn.functional', nn.functional],
  ])('functions of %s', (_, module) => {
    const functions = Object.entries(module).filter(([, value]) => typeof value === 'function');
    const missing = functions.map(([name]) => name).filter((name) => !sampled.has(name) && !(name in others));
    expect(missing).toEqual([]);
  });

  // Layers, each by a row `nn.<Class>`.
  test('layers of nn', () => {
    const elsewhere: Readonly<Record<string, string>> = {
      Flatten: 'modules.test.ts',
      Linear: 'modules.test.ts',
      Module: 'modules.test.ts',
      ModuleDict: 'containers.test.ts',
      ModuleList: 'containers.test.ts',
      ParameterDict: 'containers.test.ts',
      ParameterList: 'containers.test.ts',
      Sequential: 'modules.test.ts',
    };
    const isLayer = (value: unknown): boolean =>
      value === nn.Module || (typeof value === 'function' && value.prototype instanceof nn.Module);
    const layers = Object.entries(nn).filter(([, value]) => isLayer(value));
    const missing = layers.map(([name]) => name).filter((name) => !sampled.has(`nn.${name}`) && !(name in elsewhere));
    expect(missing).toEqual([]);
  });
});

describe('one list of kernels', () => {
  const source = ts.createSourceFile('native.ts', read('src/native.ts'), ts.ScriptTarget.ES2022, true);
  const typed: Record<string, ts.MethodSignature> = {};
  source.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== 'Kernels') return;
    for (const member of node.members) if (ts.isMethodSignature(member)) typed[member.name.getText(source)] = member;
  });

  test('kernels.def, the addon and src/native.ts name the same', () => {
    const listed = macroNames('native/kernels.def', 'KERNEL').sort();
    expect(listed.length).toBeGreaterThan(10);
    expect([...native.describe().kernels].sort()).toEqual(listed);
    expect(Object.keys(typed).sort()).toEqual(listed);
  });

  test('with the same parameters', () => {
    // What a C++ parameter is in TypeScript.
    const types: Readonly<Record<string, string>> = {
      'const TensorView&': 'Handle',
      'const OptionalTensor&': 'Handle',
      'const Program&': 'ProgramId',
      TensorList: 'number',
      Scalars: 'number',
      int64_t: 'number',
      double: 'number',
      bool: 'boolean',
    };
    for (const [, name, parameters] of read('native/kernels.def').matchAll(/^KERNEL\((\w+), (.*)\)$/gm)) {
      const expected = parameters.split(', ').map((parameter) => {
        const [, type, label] = /^(.*) (\w+)$/.exec(parameter)!;
        return { label, type };
      });
      const actual = typed[name].parameters.map((parameter) => ({
        label: parameter.name.getText(source),
        type: parameter.type!.getText(source),
      }));
      expect(
        actual.map(({ label }) => label),
        name,
      ).toEqual(expected.map(({ label }) => label));
      expected.forEach(({ type, label }, i) => {
        // A scalar is what the op takes: a number, and for int64 a bigint.
        if (type === 'Scalar') expect(actual[i].type, `${name}, ${label}`).toMatch(/number|bigint/);
        else expect(actual[i].type, `${name}, ${label}`).toBe(types[type]);
      });
    }
  });
});

describe('one list of instructions', () => {
  const listed = [...read('native/opcodes.def').matchAll(/^OPCODE\((\w+), (\d)\)/gm)].map(([, name, arity]) => ({
    name,
    arity: Number(arity),
  }));

  test('opcodes.def, the addon and src/program/opcodes.ts agree', () => {
    expect(native.describe().opcodes).toEqual(listed.map(({ name }) => name));
    const known = Object.entries(opcodes).map(([name, { code, arity }]) => ({ name, code, arity }));
    expect(known).toEqual(listed.map(({ name, arity }, code) => ({ name, code, arity })));
  });

  test('each occurs in a sample', () => {
    // What the ops of these samples are made of, where the names differ.
    const within: Readonly<Record<string, string>> = {
      floorDiv: 'floorDivide',
      normalCdf: 'gelu',
      select: 'where',
    };
    const missing = listed.filter(({ name }) => !sampled.has(within[name] ?? name) && !sampled.has(`expr.${name}`));
    expect(missing).toEqual([]);
  });
});

test('the methods of Tensor are those of the functions tagged @method', () => {
  expect(() =>
    execFileSync(process.execPath, [path('scripts/methods.js'), '--check'], { stdio: 'pipe' }),
  ).not.toThrow();
});
