// The instructions, in the order of native/opcodes.def, which native.ts's describe() is checked against.
import { NativeError } from '../errors.js';
import { native } from '../native.js';

const list = [
  ['neg', 1],
  ['abs', 1],
  ['sign', 1],
  ['square', 1],
  ['sqrt', 1],
  ['rsqrt', 1],
  ['reciprocal', 1],
  ['exp', 1],
  ['exp2', 1],
  ['expm1', 1],
  ['log', 1],
  ['log2', 1],
  ['log10', 1],
  ['log1p', 1],
  ['sin', 1],
  ['cos', 1],
  ['tan', 1],
  ['asin', 1],
  ['acos', 1],
  ['atan', 1],
  ['sinh', 1],
  ['cosh', 1],
  ['tanh', 1],
  ['asinh', 1],
  ['acosh', 1],
  ['atanh', 1],
  ['erf', 1],
  ['erfc', 1],
  ['normalCdf', 1],
  ['erfinv', 1],
  ['lgamma', 1],
  ['digamma', 1],
  ['sigmoid', 1],
  ['floor', 1],
  ['ceil', 1],
  ['round', 1],
  ['trunc', 1],
  ['isnan', 1],
  ['isinf', 1],
  ['isfinite', 1],
  ['logicalNot', 1],
  ['bitwiseNot', 1],
  ['add', 2],
  ['sub', 2],
  ['mul', 2],
  ['div', 2],
  ['floorDiv', 2],
  ['remainder', 2],
  ['fmod', 2],
  ['pow', 2],
  ['polygamma', 2],
  ['atan2', 2],
  ['hypot', 2],
  ['maximum', 2],
  ['minimum', 2],
  ['fmax', 2],
  ['fmin', 2],
  ['copysign', 2],
  ['eq', 2],
  ['ne', 2],
  ['lt', 2],
  ['le', 2],
  ['gt', 2],
  ['ge', 2],
  ['bitwiseAnd', 2],
  ['bitwiseOr', 2],
  ['bitwiseXor', 2],
  ['bitwiseLeftShift', 2],
  ['bitwiseRightShift', 2],
  ['fma', 3],
  ['select', 3],
] as const;

/** The name of an instruction. */
export type OpcodeName = (typeof list)[number][0];

// Numbers come from the addon, so that the order has one owner.
const nativeNames = native.describe().opcodes;

/** Number and arity of each instruction. */
export const opcodes: Readonly<Record<OpcodeName, { readonly code: number; readonly arity: number }>> =
  Object.fromEntries(
    list.map(([name, arity]) => {
      const code = nativeNames.indexOf(name);
      if (code < 0)
        throw new NativeError(`the native addon has no instruction '${name}'; rebuild it with npm run build:native.`);
      return [name, { code, arity }];
    }),
  ) as unknown as Readonly<Record<OpcodeName, { readonly code: number; readonly arity: number }>>;
