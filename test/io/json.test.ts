import { describe, expect, test } from 'vitest';
import { JsonNumber, JsonSyntaxError, type JsonValue, parseJson } from '../../src/io/json.js';

/** Back to plain values, to compare with JSON.parse. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

describe('parseJson', () => {
  test.each([
    '{}',
    ' [ ] ',
    '{"a":{"b":[1,-2.5e-3,true,false,null,"x"]}}',
    '"\\u00e9\\n\\"\\\\ \u{1f600}"',
    '\t{"":0}\r\n',
    '0',
  ])('agrees with JSON.parse on %s', (text) => {
    expect(plain(parseJson(text))).toEqual(JSON.parse(text));
  });

  test.each([
    ['', 'expected a value, end of text at character 0'],
    ['{"a":1', "expected '}', end of text at character 6"],
    ['{"a" 1}', `expected ':', unexpected "1" at character 5`],
    ['{a:1}', 'expected a string, unexpected "a" at character 1'],
    ['{"a":1,}', 'expected a string, unexpected "}" at character 7'],
    ['[1 2]', `expected ']', unexpected "2" at character 3`],
    ['{} x', 'unexpected "x" at character 3'],
    ['01', 'unexpected "1" at character 1'],
    ['NaN', 'expected a value, unexpected "N" at character 0'],
    ['"a\nb"', 'malformed string at character 0'],
    ['"\\x"', 'malformed string at character 0'],
    ['"abc', 'malformed string at character 0'],
    ['{"a":1,"b":2,"a":3}', 'duplicate key "a" at character 13'],
    ['{"a":{"x":1,"\\u0078":2}}', 'duplicate key "x" at character 12'],
    ['{"__proto__":1,"__proto__":2}', 'duplicate key "__proto__" at character 15'],
  ])('refuses %j', (text, message) => {
    expect(() => parseJson(text)).toThrow(
      new JsonSyntaxError(message.replace(/ at character \d+$/, ''), Number(/\d+$/.exec(message))),
    );
  });

  test('deep nesting is refused before it can exhaust the stack', () => {
    expect(() => parseJson('['.repeat(1_000_000))).toThrow('nested deeper than 16 levels at character 17');
  });

  test('large numbers keep their digits', () => {
    expect(parseJson('9223372036854775808')).toEqual(new JsonNumber('9223372036854775808'));
  });

  test('long runs of escapes, spaces and digits need no stack', () => {
    const million = 1_000_000;
    expect(parseJson(`"${'\\n'.repeat(million)}"`)).toBe('\n'.repeat(million));
    expect(parseJson(`${' '.repeat(10 * million)}1`)).toEqual(new JsonNumber('1'));
    expect(parseJson('1'.repeat(million))).toEqual(new JsonNumber('1'.repeat(million)));
  });

  test('__proto__ is a key like any other', () => {
    const parsed = parseJson('{"__proto__":{"polluted":true}}') as Map<string, JsonValue>;
    expect([...parsed.keys()]).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
