import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { data } from 'thalweg';
import { errorOf } from '../error-of.js';

const T = data.transforms;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-text-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('tokens', () => {
  test.each([
    ["I don't like it - 3.5 of 10!", ['i', "don't", 'like', 'it', '-', '3.5', 'of', '10', '!']],
    ['Good...<br /><br/>BAD (really)', ['good', '.', '.', '.', 'bad', '(', 'really', ')']],
    ['the dogs\u2019 owner\u2019s \u201Chat\u201D', ['the', 'dogs', "'", "owner's", '\u201C', 'hat', '\u201D']],
    ['Éclair, naïve cafe\u0301 \uFF21\uFF22', ['éclair', ',', 'naïve', 'café', 'ab']],
    ['1,000.5 v2 😀 x_y', ['1,000.5', 'v', '2', '😀', 'x', '_', 'y']],
    [' \t\n ', []],
  ])('of %j', (text, tokens) => {
    expect(T.basicTokens(text)).toEqual(tokens);
  });

  test('characters and expressions', () => {
    expect(T.characterTokens('né😀')).toEqual(['n', 'é', '😀']);
    const words = T.regexTokenizer(/\w+/);
    expect([words('to be, or not'), words('to be, or not'), words('...')]).toEqual([
      ['to', 'be', 'or', 'not'],
      ['to', 'be', 'or', 'not'],
      [],
    ]);
    expect(T.regexTokenizer(/[a-z]*/gi)('A1b')).toEqual(['A', 'b']);
  });

  test('n-grams', () => {
    const tokens = ['to', 'be', 'or'];
    expect(T.ngrams(tokens, 2)).toEqual(['to be', 'be or']);
    expect(T.ngrams(tokens, [1, 3], { separator: '_' })).toEqual(['to', 'be', 'or', 'to_be', 'be_or', 'to_be_or']);
    expect(T.ngrams(tokens, 4)).toEqual([]);
  });
});

describe('Vocabulary', () => {
  const texts = [
    ['b', 'a', 'c'],
    ['a', 'd', '__proto__'],
    ['a', 'c'],
  ];

  test('frequent tokens first, then by their letters', () => {
    const words = T.Vocabulary.build(texts);
    expect(words.tokens).toEqual(['<pad>', '<unk>', 'a', 'c', '__proto__', 'b', 'd']);
    expect(words.indices(['c', 'toString', '__proto__'])).toEqual([3, 1, 4]);
    expect(words.lookup([2, 0])).toEqual(['a', '<pad>']);
    expect(words.has('toString')).toBe(false);
    expect(T.Vocabulary.build(texts, { minFrequency: 2 }).tokens).toEqual(['<pad>', '<unk>', 'a', 'c']);
    expect(T.Vocabulary.build(texts, { maxTokens: 3 }).tokens).toEqual(['<pad>', '<unk>', 'a']);
    const plain = T.Vocabulary.build(texts.values(), { specials: [] });
    expect(errorOf(() => plain.index('x'))).toBe(
      'ArgumentError: Vocabulary: "x" is none of the 5 tokens, and no token stands for unknown ones.',
    );
    // A special token that occurs is not counted twice.
    expect(T.Vocabulary.build([['<unk>', 'a']]).tokens).toEqual(['<pad>', '<unk>', 'a']);
  });

  test('saved and loaded', async () => {
    const words = T.Vocabulary.build(texts);
    const file = join(folder, 'words.json');
    await words.save(file);
    const loaded = await T.Vocabulary.load(file);
    expect([loaded.tokens, loaded.unknown]).toEqual([words.tokens, 1]);
    expect(await readdir(folder)).toEqual(['words.json']);
  });

  test.each([
    ['{', /^.* is no vocabulary: .*JSON/],
    ['null', /expected \{ name: 'Vocabulary'/],
    ['{"name":"Vocabulary","tokens":["a","a"],"unknown":null}', /token "a" occurs twice\.$/],
    ['{"name":"Vocabulary","tokens":["a",5],"unknown":null}', /token 1 must be a string, got number\.$/],
    ['{"name":"Vocabulary","tokens":["a"],"unknown":7}', /unknown must be null or the number of a token, got 7\.$/],
  ])('a file that is none: %s', async (text, message) => {
    const file = join(folder, 'broken.json');
    await writeFile(file, text);
    const error = await T.Vocabulary.load(file).catch((e: unknown) => e as Error);
    expect((error as Error).name).toBe('FileError');
    expect((error as Error).message).toMatch(message);
  });

  test('a file that is missing', async () => {
    await expect(T.Vocabulary.load(join(folder, 'none.json'))).rejects.toThrow('no such file or folder');
  });
});

test('textToSequences', () => {
  const texts = ['a cat', 'A dog and a cat', ''];
  const words = T.Vocabulary.build(texts.map(T.basicTokens), { specials: ['<unk>', '<pad>'] });
  const { sequences, lengths } = T.textToSequences(texts, words, { maxLen: 3, padding: 'post' });
  const text = sequences.arraySync().map((row) => words.lookup(row.map(Number)).join(' '));
  expect(text).toEqual(['a cat <pad>', 'and a cat', '<pad> <pad> <pad>']);
  expect(lengths.arraySync()).toEqual([2n, 3n, 0n]);
  const characters = T.Vocabulary.build([T.characterTokens('abc')]);
  const tokens = T.textToSequences(['cab'], characters, { tokenize: T.characterTokens }).sequences;
  expect(characters.lookup(tokens.arraySync()[0].map(Number))).toEqual(['c', 'a', 'b']);
});

describe('BytePairTokenizer', () => {
  const corpus = ['low lower lowest', 'new newer newest', 'the lowest of the new', 'naïve 中文 中文 😀😀 😀'];
  const tokenizer = T.BytePairTokenizer.train(corpus, { vocabSize: 280, specials: ['<|end|>', '<|end|>x'] });

  test('merges the most frequent pair first', () => {
    // Of 'aab aab aab' the pairs are: a a 3 times, a b 3 times, ' a' twice; the smaller numbers win.
    const small = T.BytePairTokenizer.train(['aab aab aab'], { vocabSize: 259 });
    expect(small.merges).toEqual([
      [97, 97],
      [256, 98],
      [32, 257],
    ]);
    expect(small.encode('aab aab')).toEqual([257, 258]);
    // Nothing occurs twice: nothing is merged.
    expect(T.BytePairTokenizer.train(['abc'], { vocabSize: 300 }).vocabSize).toBe(256);
  });

  test('counts stay right while merging: the merges are those of counting anew each time', () => {
    const words = corpus.join(' ').match(/ ?[a-z]+/g)!;
    const trained = T.BytePairTokenizer.train(words, { vocabSize: 276, minFrequency: 1 });
    let lists = words.map((word) => [...new TextEncoder().encode(word)]);
    trained.merges.forEach(([a, b], n) => {
      const counts = new Map<string, number>();
      for (const list of lists)
        for (let i = 0; i + 1 < list.length; i++) {
          const key = `${list[i]} ${list[i + 1]}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
      const most = Math.max(...counts.values());
      const best = [...counts]
        .filter(([, count]) => count === most)
        .map(([key]) => key.split(' ').map(Number))
        .sort(([p, q], [r, s]) => p - r || q - s)[0];
      expect([a, b]).toEqual(best);
      lists = lists.map((list) => {
        const out: number[] = [];
        for (const token of list) {
          // A token that has just been made is no part of the pair.
          if (token === b && out.at(-1) === a) out[out.length - 1] = 256 + n;
          else out.push(token);
        }
        return out;
      });
    });
  });

  test.each([
    '',
    'low lowest',
    'words it has never seen: ÄÖÜ, עברית, हिन्दी, 日本語, 👩‍👩‍👧‍👦!',
    '  spaces \t\n\r\n at   both ends  ',
    '\u0000\uFEFF\u2028\u{10FFFF}',
    'a<|end|>b<|end|>x<|en',
    'x'.repeat(3000),
    "it's 1234567 $$$ ...",
  ])('what is encoded is decoded: %j', (text) => {
    const tokens = tokenizer.encode(text);
    expect(tokenizer.decode(tokens)).toBe(text);
    expect(tokens.every((token) => token < tokenizer.vocabSize)).toBe(true);
  });

  test('random texts of all of Unicode', () => {
    let seed = 1;
    const next = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32;
    for (let n = 0; n < 200; n++) {
      const text = Array.from({ length: 20 }, () => {
        const code = Math.floor(next() * (next() < 0.5 ? 0x100 : 0x110000));
        return code >= 0xd800 && code < 0xe000 ? ' ' : String.fromCodePoint(code);
      }).join('');
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  test('special tokens, bytes that are no text, half a character', () => {
    expect(tokenizer.encode('<|end|>')).toEqual([tokenizer.vocabSize - 2]);
    expect(tokenizer.encode('<|end|>x')).toEqual([tokenizer.vocabSize - 1]);
    expect(tokenizer.decode([0xf0, 0x9f])).toBe('\uFFFD');
    expect(tokenizer.decode([104n, 105n])).toBe('hi');
    expect(tokenizer.decode(tokenizer.encode('a\uD800b'))).toBe('a\uFFFDb');
    expect(tokenizer.encode('lowest').length).toBeLessThan(6);
  });

  test('saved and loaded', async () => {
    const file = join(folder, 'bpe.json');
    await tokenizer.save(file);
    const loaded = await T.BytePairTokenizer.load(file);
    expect(loaded.merges).toEqual(tokenizer.merges);
    expect(loaded.encode('the newest<|end|>')).toEqual(tokenizer.encode('the newest<|end|>'));
    await writeFile(file, '{"name":"BytePairTokenizer","merges":[[1,256]],"specials":[]}');
    await expect(T.BytePairTokenizer.load(file)).rejects.toThrow(/merge 0 must be two tokens below 256, got 1,256\.$/);
    await writeFile(file, '{"name":"BytePairTokenizer"}');
    await expect(T.BytePairTokenizer.load(file)).rejects.toThrow('must be arrays');
  });

  test('a file whose tokens double in length does not fill the memory', () => {
    const doubling = Array.from({ length: 40 }, (_, n) => [n === 0 ? 0 : 255 + n, n === 0 ? 0 : 255 + n] as const);
    expect(errorOf(() => new T.BytePairTokenizer(doubling))).toBe(
      'ArgumentError: BytePairTokenizer: the tokens together are longer than 256 MiB.',
    );
  });
});

test.each<[string, () => unknown, string]>([
  [
    'no text',
    () => T.basicTokens(5 as unknown as string),
    'ArgumentError: basicTokens: text must be a string, got number.',
  ],
  [
    'no expression',
    () => T.regexTokenizer('a' as unknown as RegExp),
    'ArgumentError: regexTokenizer: pattern must be a regular expression, got string.',
  ],
  ['no n', () => T.ngrams(['a'], 0), 'ArgumentError: ngrams: n must be an integer >= 1 or a range of them, got 0.'],
  [
    'a text that was not split',
    () => T.Vocabulary.build(['abc']),
    'ArgumentError: Vocabulary.build: a text must be a list of tokens, got a string; split it first.',
  ],
  [
    'no room for specials',
    () => T.Vocabulary.build([], { maxTokens: 1 }),
    'ArgumentError: Vocabulary.build: there are 2 specials, more than maxTokens = 1.',
  ],
  [
    'an unknown token that is none',
    () => T.Vocabulary.build([], { unknown: '[UNK]' }),
    'ArgumentError: Vocabulary.build: unknown "[UNK]" is none of the specials.',
  ],
  [
    'a number that is none',
    () => T.Vocabulary.build([['a']]).token(3),
    'ArgumentError: Vocabulary: the numbers are 0 to 2, got 3.',
  ],
  [
    'too small a vocabulary',
    () => T.BytePairTokenizer.train(['a'], { vocabSize: 255 }),
    'ArgumentError: BytePairTokenizer.train: vocabSize must be an integer from 256 (the bytes and the special tokens) to 16777216, got 255.',
  ],
  [
    'a token that is none',
    () => new T.BytePairTokenizer([]).decode([256]),
    'ArgumentError: BytePairTokenizer.decode: the tokens are 0 to 255, got 256.',
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});
