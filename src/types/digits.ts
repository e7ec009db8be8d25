// Exact arithmetic on dimensions in the type system, for the few ops whose result shape is a product or a quotient.
//
// Numbers are strings of decimal digits, least significant first, so that work grows with the number of digits. Counting
// by tuple length, the usual trick, would build a tuple of 25,088 elements for the flattened output of a VGG.

type Products = [
  ['00', '00', '00', '00', '00', '00', '00', '00', '00', '00'],
  ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'],
  ['00', '02', '04', '06', '08', '10', '12', '14', '16', '18'],
  ['00', '03', '06', '09', '12', '15', '18', '21', '24', '27'],
  ['00', '04', '08', '12', '16', '20', '24', '28', '32', '36'],
  ['00', '05', '10', '15', '20', '25', '30', '35', '40', '45'],
  ['00', '06', '12', '18', '24', '30', '36', '42', '48', '54'],
  ['00', '07', '14', '21', '28', '35', '42', '49', '56', '63'],
  ['00', '08', '16', '24', '32', '40', '48', '56', '64', '72'],
  ['00', '09', '18', '27', '36', '45', '54', '63', '72', '81'],
];

// A digit as a tuple of that length: three of them, spread, add up by their length.
type Units = [
  [],
  [0],
  [0, 0],
  [0, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0],
];

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
type Length<T> = T extends { readonly length: infer L extends number } ? L : never;
type Add3<A extends Digit, B extends Digit, C extends Digit> = `${Length<[...Units[A], ...Units[B], ...Units[C]]>}`;

type Reverse<S extends string, Out extends string = ''> = S extends `${infer D}${infer Rest}`
  ? Reverse<Rest, `${D}${Out}`>
  : Out;

type AsDigit<S extends string> = S extends Digit ? S : '0';

// A * D + C for a single digit D. C has at most as many digits as A.
type MultiplyAdd<
  A extends string,
  D extends Digit,
  C extends string,
  Carry extends Digit = '0',
  Out extends string = '',
> = A extends `${infer A0 extends Digit}${infer ARest}`
  ? C extends `${infer C0 extends Digit}${infer CRest}`
    ? MultiplyAddStep<ARest, D, CRest, Products[D][A0], C0, Carry, Out>
    : MultiplyAddStep<ARest, D, '', Products[D][A0], '0', Carry, Out>
  : Carry extends '0'
    ? Out
    : `${Out}${Carry}`;

type MultiplyAddStep<
  ARest extends string,
  D extends Digit,
  CRest extends string,
  Product extends string,
  C0 extends Digit,
  Carry extends Digit,
  Out extends string,
> = Product extends `${infer Tens extends Digit}${infer Ones extends Digit}`
  ? Add3<Ones, C0, Carry> extends infer Sum
    ? Sum extends `${infer High extends Digit}${infer Low extends Digit}`
      ? MultiplyAdd<ARest, D, CRest, AsDigit<Add3<Tens, High, '0'>>, `${Out}${Low}`>
      : MultiplyAdd<ARest, D, CRest, Tens, `${Out}${Sum & Digit}`>
    : never
  : never;

/** The product of two reversed digit strings, neither of them zero. */
type Multiply<
  A extends string,
  B extends string,
  Rest extends string = '',
  Out extends string = '',
> = B extends `${infer B0 extends Digit}${infer BRest}`
  ? MultiplyAdd<A, B0, Rest> extends `${infer Low}${infer High}`
    ? Multiply<A, BRest, High, `${Out}${Low}`>
    : never
  : `${Out}${Rest}`;

type TrimZeros<S extends string> = S extends `${infer Rest}0` ? TrimZeros<Rest> : S;

// A - B, or 'less' if A < B.
type Subtract<
  A extends string,
  B extends string,
  Borrow extends Digit = '0',
  Out extends string = '',
> = A extends `${infer A0 extends Digit}${infer ARest}`
  ? B extends `${infer B0 extends Digit}${infer BRest}`
    ? SubtractStep<ARest, BRest, A0, B0, Borrow, Out>
    : SubtractStep<ARest, '', A0, '0', Borrow, Out>
  : `${B}${Borrow}` extends '0'
    ? TrimZeros<Out>
    : 'less';

type SubtractStep<
  ARest extends string,
  BRest extends string,
  A0 extends Digit,
  B0 extends Digit,
  Borrow extends Digit,
  Out extends string,
> = Units[A0] extends [...Units[B0], ...Units[Borrow], ...infer Left]
  ? Subtract<ARest, BRest, '0', `${Out}${Length<Left>}`>
  : [...Units[9], 0, ...Units[A0]] extends [...Units[B0], ...Units[Borrow], ...infer Left]
    ? Subtract<ARest, BRest, '1', `${Out}${Length<Left>}`>
    : never;

// One digit of a long division: how often B goes into A, by subtracting, and what is left.
type QuotientDigit<A extends string, B extends string, Count extends 0[] = []> =
  Subtract<A, B> extends infer Left extends string
    ? Left extends 'less'
      ? [Length<Count>, A]
      : QuotientDigit<Left, B, [...Count, 0]>
    : never;

// The quotient and what is left. `A` and the quotient are most significant first, as long division goes; `B` and `Left`
// are reversed.
type LongDivide<
  A extends string,
  B extends string,
  Left extends string = '',
  Out extends string = '',
> = A extends `${infer A0}${infer ARest}`
  ? QuotientDigit<TrimZeros<`${A0}${Left}`>, B> extends [infer Q extends number, infer NewLeft extends string]
    ? LongDivide<ARest, B, NewLeft, `${Out}${Q}`>
    : never
  : readonly [Out, Left];

type TrimLeadingZeros<S extends string> = S extends `0${infer Rest}`
  ? Rest extends ''
    ? S
    : TrimLeadingZeros<Rest>
  : S;

// Back to a number type. A string of more digits than a double holds gives `number`, as it should.
type ToNumber<S extends string> = S extends `${infer N extends number}` ? N : number;

// The digits of a dimension, or '?' if it is not known to be a whole number that is not negative.
type Digits<N extends number> = number extends N
  ? '?'
  : `${N}` extends `-${string}`
    ? '?'
    : `${N}` extends `${bigint}`
      ? `${N}`
      : '?';

type ProductDigits<S extends readonly number[], Out extends string = '1'> = S extends readonly [
  infer Head extends number,
  ...infer Tail extends readonly number[],
]
  ? Head extends 1
    ? ProductDigits<Tail, Out>
    : Digits<Head> extends infer D extends string
      ? D extends '?'
        ? '?'
        : D extends '0'
          ? ProductDigits<Tail, '0'>
          : Out extends '0'
            ? ProductDigits<Tail, '0'>
            : Out extends '1'
              ? ProductDigits<Tail, Reverse<D>>
              : ProductDigits<Tail, Multiply<Out, Reverse<D>>>
      : never
  : Out;

/** The product of a tuple of numbers; `number` if one of them, or their count, is not known. */
export type Product<S extends readonly number[]> = number extends S['length']
  ? number
  : ProductDigits<S> extends infer P extends string
    ? P extends '?'
      ? number
      : ToNumber<Reverse<P>>
    : never;

/** `A / B` if it is whole, `'remainder'` if it is not, `number` if either is not known or B is 0. */
export type Quotient<A extends number, B extends number> =
  Digits<A> extends infer DA extends string
    ? Digits<B> extends infer DB extends string
      ? DA extends '?'
        ? number
        : DB extends '?' | '0'
          ? number
          : DA extends DB
            ? 1
            : DB extends '1'
              ? A
              : LongDivide<DA, Reverse<DB>> extends readonly [infer Q extends string, infer Left]
                ? Left extends ''
                  ? ToNumber<TrimLeadingZeros<Q>>
                  : 'remainder'
                : never
      : never
    : never;

// ---- Whole numbers kept as digits, for formulas of several steps: least significant first, and zero is the empty string.

/** The digits of a number that is known and whole. */
export type Natural<N extends number> = TrimZeros<Reverse<`${N}`>>;

/** Back to a number type. */
export type FromNatural<S extends string> = S extends '' ? 0 : ToNumber<Reverse<S>>;

/** The sum of two naturals. */
export type Plus<
  A extends string,
  B extends string,
  Carry extends Digit = '0',
  Out extends string = '',
> = A extends `${infer A0 extends Digit}${infer ARest}`
  ? B extends `${infer B0 extends Digit}${infer BRest}`
    ? PlusStep<ARest, BRest, Add3<A0, B0, Carry>, Out>
    : Carry extends '0'
      ? `${Out}${A}`
      : PlusStep<ARest, '', Add3<A0, '0', Carry>, Out>
  : Carry extends '0'
    ? `${Out}${B}`
    : B extends ''
      ? `${Out}${Carry}`
      : Plus<B, Carry, '0', Out>;

type PlusStep<
  ARest extends string,
  BRest extends string,
  Sum extends string,
  Out extends string,
> = Sum extends `${infer High extends Digit}${infer Low extends Digit}`
  ? Plus<ARest, BRest, High, `${Out}${Low}`>
  : Plus<ARest, BRest, '0', `${Out}${Sum}`>;

/** The difference of two naturals, `'less'` if it would be negative. */
export type Minus<A extends string, B extends string> = Subtract<A, B>;

/** The product of two naturals. */
export type Times<A extends string, B extends string> = A extends ''
  ? ''
  : B extends ''
    ? ''
    : A extends '1'
      ? B
      : B extends '1'
        ? A
        : Multiply<A, B>;

/** How often B, which is not zero, goes into A. */
export type DividedBy<A extends string, B extends string> = B extends '1'
  ? A
  : LongDivide<Reverse<A>, B> extends readonly [infer Q extends string, unknown]
    ? TrimZeros<Reverse<Q>>
    : never;
