// From expressions to a register program: common subexpressions once, multiply-adds fused, temporaries reused.
import { ArgumentError } from '../errors.js';
import { native, type ProgramId } from '../native.js';
import type { Expr } from './expr.js';
import { opcodes, type OpcodeName } from './opcodes.js';

interface Value {
  readonly key: string;
  readonly op: OpcodeName | null; // null: input, scalar or constant
  args: Value[];
  uses: number;
  register: number;
}

// kMaxRegisters of native/program.h.
const maxRegisters = 256;

/**
 * Compiles expressions to a native program.
 *
 * @param outputs one expression per output
 * @param inputs the input expressions, in the order in which tensors will be given
 * @param scalars the scalar expressions, in the order in which numbers will be given
 */
export function compile(
  name: string,
  outputs: readonly Expr[],
  inputs: readonly Expr[],
  scalars: readonly Expr[],
): ProgramId {
  const leaves = new Map<Expr, Value>();
  const addLeaf = (e: Expr, i: number, kind: string): void => {
    leaves.set(e, { key: `${kind}${i}`, op: null, args: [], uses: 0, register: -1 });
  };
  inputs.forEach((e, i) => addLeaf(e, i, 'i'));
  scalars.forEach((e, i) => addLeaf(e, i, 's'));
  const values = new Map<string, Value>();
  const constants: number[] = [];
  const memo = new Map<Expr, Value>();
  const order: Value[] = [];

  const visit = (e: Expr): Value => {
    const known = leaves.get(e) ?? memo.get(e);
    if (known !== undefined) return known;
    let value: Value;
    if (e.kind === 'input' || e.kind === 'scalar') {
      throw new ArgumentError(
        `${name}: the expression uses ${e.kind} '${e.label}', which is not one of its parameters.`,
      );
    }
    if (e.kind === 'constant') {
      const key = `c${Object.is(e.value, -0) ? '-0' : e.value}`;
      value = values.get(key) ?? { key, op: null, args: [], uses: 0, register: constants.push(e.value) - 1 };
      values.set(key, value);
    } else {
      const args = e.args.map(visit);
      const key = `${e.kind}(${args.map((a) => a.key).join(',')})`;
      const short = values.get(key);
      // Keys of deep expressions would grow without bound: each value is known by a number from here on.
      value = short ?? { key: `v${values.size}`, op: e.kind, args, uses: 0, register: -1 };
      if (short === undefined) {
        values.set(key, value);
        order.push(value);
      }
    }
    memo.set(e, value);
    return value;
  };
  const results = outputs.map(visit);
  for (const value of order) for (const arg of value.args) arg.uses++;
  for (const value of results) value.uses++;

  // a * b + c in one instruction when nobody else needs a * b.
  const code: Value[] = [];
  const removed = new Set<Value>();
  for (const value of order) {
    if (value.op !== 'add') continue;
    const product = value.args.find((arg) => arg.op === 'mul' && arg.uses === 1 && !removed.has(arg));
    if (product === undefined || results.includes(product)) continue;
    const other = value.args[0] === product ? value.args[1] : value.args[0];
    (value as { op: OpcodeName }).op = 'fma';
    value.args = [...product.args, other];
    removed.add(product);
  }
  for (const value of order) if (!removed.has(value)) code.push(value);

  const firstConstant = inputs.length + scalars.length;
  const firstTemporary = firstConstant + constants.length;
  const registerOf = (value: Value): number => {
    if (value.op !== null) return value.register;
    const index = Number(value.key.slice(1));
    if (value.key.startsWith('i')) return index;
    if (value.key.startsWith('s')) return inputs.length + index;
    return firstConstant + value.register;
  };
  const lastUse = new Map<Value, number>();
  code.forEach((value, i) => value.args.forEach((arg) => lastUse.set(arg, i)));
  const isResult = new Set(results);
  const free: number[] = [];
  let temporaries = 0;
  const words: number[] = [];
  code.forEach((value, i) => {
    const registers = value.args.map(registerOf);
    for (const arg of new Set(value.args)) {
      if (arg.op !== null && lastUse.get(arg) === i && !isResult.has(arg)) free.push(arg.register);
    }
    // An output's register is its own from beginning to end: the interpreter may point it at the output's memory.
    value.register = isResult.has(value)
      ? firstTemporary + temporaries++
      : (free.pop() ?? firstTemporary + temporaries++);
    words.push(opcodes[value.op!].code, value.register, registers[0] ?? 0, registers[1] ?? 0, registers[2] ?? 0);
  });
  const registers = firstTemporary + temporaries;
  if (registers > maxRegisters) {
    throw new ArgumentError(
      `${name}: the program needs ${registers} registers, more than ${maxRegisters}; split it in two.`,
    );
  }
  return native.program(
    name,
    Uint16Array.from(words),
    Uint16Array.from(results.map(registerOf)),
    Float64Array.from(constants),
    inputs.length,
    scalars.length,
    temporaries,
  );
}
