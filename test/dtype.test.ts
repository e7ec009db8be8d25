import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  checkDType,
  dtypeId,
  dtypes,
  isDType,
  isFloating,
  isInteger,
  itemSize,
  promoteTypes,
  resultTypeWithScalar,
  typedArrayOf,
} from '../src/dtype.js';
import type { ItemOf, Promote, PromoteScalar, TypedArrayOf } from '../src/dtype.js';
import { ArgumentError } from '../src/errors.js';

// torch.promote_types of each pair, in the order of `dtypes`; f = float, h = float16, b = bfloat16, i = int, u = uint8.
const names = {
  f4: 'float32',
  f8: 'float64',
  h2: 'float16',
  b2: 'bfloat16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  bo: 'bool',
} as const;
const table = `
  f4 f8 f4 f4 f4 f4 f4 f4
  f8 f8 f8 f8 f8 f8 f8 f8
  f4 f8 h2 f4 h2 h2 h2 h2
  f4 f8 f4 b2 b2 b2 b2 b2
  f4 f8 h2 b2 i4 i8 i4 i4
  f4 f8 h2 b2 i8 i8 i8 i8
  f4 f8 h2 b2 i4 i8 u1 u1
  f4 f8 h2 b2 i4 i8 u1 bo`;

describe('dtypes', () => {
  test('ids are the order of native/runtime/dtype.h', () => {
    expect(dtypes).toEqual(['float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8', 'bool']);
    dtypes.forEach((dtype, id) => {
      expect(dtypeId(dtype)).toBe(id);
    });
  });

  test('sizes, kinds and arrays', () => {
    expect(dtypes.map(itemSize)).toEqual([4, 8, 2, 2, 4, 8, 1, 1]);
    expect(dtypes.filter(isFloating)).toEqual(['float32', 'float64', 'float16', 'bfloat16']);
    expect(dtypes.filter(isInteger)).toEqual(['int32', 'int64', 'uint8']);
    expect(dtypes.map((dtype) => typedArrayOf(dtype).name)).toEqual([
      'Float32Array',
      'Float64Array',
      'Float32Array',
      'Float32Array',
      'Int32Array',
      'BigInt64Array',
      'Uint8Array',
      'Uint8Array',
    ]);
    expectTypeOf<TypedArrayOf<'bfloat16'>>().toEqualTypeOf<Float32Array>();
    expectTypeOf<ItemOf<'int64'>>().toEqualTypeOf<bigint>();
    expectTypeOf<ItemOf<'bool'>>().toEqualTypeOf<boolean>();
    expectTypeOf<ItemOf<'float16' | 'bool'>>().toEqualTypeOf<number | boolean>();
  });

  test('checkDType names the choices', () => {
    expect(checkDType('zeros', 'int64')).toBe('int64');
    const choices = 'expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.';
    const wrong: [unknown, string][] = [
      ['float', "'float'"],
      ['constructor', "'constructor'"],
      [null, 'null'],
      [undefined, 'undefined'],
      [32, 'a number'],
    ];
    for (const [value, shown] of wrong) {
      expect(isDType(value)).toBe(false);
      expect(() => checkDType('zeros', value)).toThrow(new ArgumentError(`zeros: unknown dtype ${shown}, ${choices}`));
    }
  });
});

describe('promotion', () => {
  test('agrees with torch.promote_types on all 64 pairs', () => {
    const rows = table.trim().split('\n');
    dtypes.forEach((a, i) => {
      const expected = rows[i].trim().split(' ');
      dtypes.forEach((b, j) => {
        expect(promoteTypes(a, b), `${a} with ${b}`).toBe(names[expected[j] as keyof typeof names]);
      });
    });
  });

  test('scalars', () => {
    const expected = {
      float32: ['float32', 'float32', 'float32', 'float32'],
      float64: ['float64', 'float64', 'float64', 'float64'],
      float16: ['float16', 'float16', 'float16', 'float16'],
      bfloat16: ['bfloat16', 'bfloat16', 'bfloat16', 'bfloat16'],
      int32: ['int32', 'float32', 'int32', 'int32'],
      int64: ['int64', 'float32', 'int64', 'int64'],
      uint8: ['uint8', 'float32', 'uint8', 'uint8'],
      bool: ['int64', 'float32', 'int64', 'bool'],
    };
    for (const dtype of dtypes) {
      expect([2, 2.5, 2n, true].map((value) => resultTypeWithScalar(dtype, value))).toEqual(expected[dtype]);
    }
    expect(resultTypeWithScalar('int32', NaN)).toBe('float32');
    expect(resultTypeWithScalar('bool', -Infinity)).toBe('float32');
  });

  test('the compiler knows', () => {
    expectTypeOf<Promote<'int32', 'float16'>>().toEqualTypeOf<'float16'>();
    expectTypeOf<Promote<'float16', 'bfloat16'>>().toEqualTypeOf<'float32'>();
    expectTypeOf<Promote<'bool' | 'int64', 'uint8'>>().toEqualTypeOf<'uint8' | 'int64'>();
    expectTypeOf<PromoteScalar<'int32', 2>>().toEqualTypeOf<'int32'>();
    expectTypeOf<PromoteScalar<'int32', 2.5>>().toEqualTypeOf<'float32'>();
    expectTypeOf<PromoteScalar<'bool', -1>>().toEqualTypeOf<'int64'>();
    expectTypeOf<PromoteScalar<'int32', number>>().toEqualTypeOf<'int32' | 'float32'>();
    expectTypeOf<PromoteScalar<'float64', number>>().toEqualTypeOf<'float64'>();
    expectTypeOf<PromoteScalar<'uint8', bigint>>().toEqualTypeOf<'uint8'>();
    expectTypeOf<PromoteScalar<'bool', boolean>>().toEqualTypeOf<'bool'>();
  });
});
