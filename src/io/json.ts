/**
 * A strict JSON reader for untrusted headers. `JSON.parse` will not do: it hides duplicate keys (the last one wins),
 * turns large integers into nearby doubles, and gives objects whose `__proto__` key is a trap. Here objects are Maps,
 * numbers keep their text, a second key of the same name is an error, and nesting is limited.
 */
export type JsonValue = string | boolean | null | JsonNumber | JsonValue[] | Map<string, JsonValue>;

/** A number as it was written: the reader of a field decides what range and form it accepts. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

/** What is wrong, and where; the caller adds the name of the file. */
export class JsonSyntaxError extends Error {
  override name = 'JsonSyntaxError';
  constructor(what: string, position: number) {
    super(`${what} at character ${position}`);
  }
}

const MAX_DEPTH = 16;
const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * Parses one JSON value; nothing but whitespace may follow it.
 *
 * @throws JsonSyntaxError with the position of the first character that does not fit, or of a duplicate key
 */
export function parseJson(text: string): JsonValue {
  let at = 0;

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }

  function found(): string {
    if (at >= text.length) return 'end of text';
    return `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}`;
  }

  /** Consumes `token` after optional whitespace, if it is next. */
  function accept(token: string): boolean {
    match(WHITESPACE);
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  }

  function expect(token: string): void {
    if (!accept(token)) throw new JsonSyntaxError(`expected '${token}', ${found()}`, at);
  }

  // A loop finds the closing quote and JSON.parse judges what lies between: a regular expression for the whole literal
  // would need backtracking memory for every escape of an untrusted string.
  function string(): string {
    match(WHITESPACE);
    if (text[at] !== '"') throw new JsonSyntaxError(`expected a string, ${found()}`, at);
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    const literal = text.slice(at, end + 1);
    try {
      const parsed = JSON.parse(literal) as string;
      at = end + 1;
      return parsed;
    } catch {
      throw new JsonSyntaxError('malformed string', at);
    }
  }

  function object(depth: number): Map<string, JsonValue> {
    const entries = new Map<string, JsonValue>();
    if (accept('}')) return entries;
    do {
      match(WHITESPACE);
      const start = at;
      const key = string();
      if (entries.has(key)) throw new JsonSyntaxError(`duplicate key ${JSON.stringify(key)}`, start);
      expect(':');
      entries.set(key, value(depth));
    } while (accept(','));
    expect('}');
    return entries;
  }

  function array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    if (accept(']')) return items;
    do items.push(value(depth));
    while (accept(','));
    expect(']');
    return items;
  }

  function value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(`nested deeper than ${MAX_DEPTH} levels`, at);
    if (accept('{')) return object(depth + 1);
    if (accept('[')) return array(depth + 1);
    if (accept('true')) return true;
    if (accept('false')) return false;
    if (accept('null')) return null;
    if (text[at] === '"') return string();
    const number = match(NUMBER);
    if (number === undefined) throw new JsonSyntaxError(`expected a value, ${found()}`, at);
    return new JsonNumber(number);
  }

  const result = value(0);
  match(WHITESPACE);
  if (at < text.length) throw new JsonSyntaxError(found(), at);
  return result;
}
