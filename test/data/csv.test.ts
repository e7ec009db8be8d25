import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, data, FileError, ThalwegError } from 'thalweg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { philox } from '../../src/data/sampler.js';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-csv-'));
  file = join(folder, 'x.csv');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function read(text: string | Uint8Array, options: data.CsvOptions = {}): Promise<data.Table> {
  await writeFile(file, text);
  return data.readCsv(file, options);
}
const content = (table: data.Table): Record<string, unknown[]> =>
  Object.fromEntries([...table.columns].map(([name, { values }]) => [name, [...values]]));

describe('readCsv', () => {
  test('types, missing values, quotes, line ends', async () => {
    const table = await read('\ufeffname, x ,y\r\n"Smith, ""J""\nJr",1,-2.5e3\r\n\r\nNA,,inf\r\n007,nan,.5');
    expect(table.names).toEqual(['name', 'x', 'y']);
    expect(table.length).toBe(3);
    expect(content(table)).toEqual({
      name: ['Smith, "J"\nJr', null, '007'],
      x: [1, NaN, NaN],
      y: [-2500, Infinity, 0.5],
    });
    expect([...table.columns.values()].map(({ type, missing }) => [type, missing])).toEqual([
      ['string', 1],
      ['number', 2],
      ['number', 0],
    ]);
  });

  test('what is no number', async () => {
    const cells = ['0x10', '1_000', '1,000', '  ', '1e', '--1', '0b1', '1 2', 'true', 'infinite'];
    for (const cell of cells) {
      const table = await read(`a\n1\n"${cell}"\n`, { missing: [] });
      expect(table.strings('a'), cell).toEqual(['1', cell]);
    }
  });

  test('a column that turns out to be text late keeps how its numbers were written', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `0${i},1.0`);
    const table = await read(`a,b\n${rows.join('\n')}\nx,y\n`);
    expect(table.strings('a')[7]).toBe('07');
    expect(table.strings('b')[3000]).toBe('y');
  });

  test('options: no header, names, delimiter, comments, quotes, missing, types, columns', async () => {
    expect(content(await read('1,a\n2,b', { header: false }))).toEqual({ 0: [1, 2], 1: ['a', 'b'] });
    expect(content(await read('1;2', { header: ['x', 'y'], delimiter: ';' }))).toEqual({ x: [1], y: [2] });
    expect(content(await read('# made by\na\n1\n#2\n3', { comment: '#' }))).toEqual({ a: [1, 3] });
    expect(content(await read('a\tb\n"x\ty"', { delimiter: '\t', quote: null }))).toEqual({ a: ['"x'], b: ['y"'] });
    expect(content(await read('a\n-999\n4', { missing: ['-999'] }))).toEqual({ a: [NaN, 4] });
    const table = await read('zip,b,c\n01234,5,6', { types: { zip: 'string' }, columns: ['c', 'zip'] });
    expect(content(table)).toEqual({ c: [6], zip: ['01234'] });
    expect(table.names).toEqual(['c', 'zip']);
    expect(content(await read('__proto__,constructor\n1,2'))).toEqual(
      Object.fromEntries([
        ['__proto__', [1]],
        ['constructor', [2]],
      ]),
    );
  });

  test('only a header', async () => {
    const table = await read('a,b\n');
    expect(table.length).toBe(0);
    expect(table.toTensor().shape).toEqual([0, 2]);
  });

  test.each<[string, string | Uint8Array, data.CsvOptions, string]>([
    ['nothing', '', {}, 'it is empty.'],
    ['a short row', 'a,b\n1,2\n3\n', {}, 'line 3: 1 cells, expected 2.'],
    ['a long row', 'a,b\n1,2,3\n', {}, 'line 2: 3 cells, expected 2.'],
    ['an open quote', 'a,b\n1,"2\n3,4\n', {}, 'the record after line 1, cell 2: a quote is opened, but never closed.'],
    [
      'text after a quote',
      'a\n"1"2\n',
      {},
      'line 2, cell 1: after a closing quote comes neither a delimiter nor the end of the line.',
    ],
    ['a quote in a cell', 'a\n1"2"\n', {}, 'line 2, cell 1: a quote opens in the middle of a cell.'],
    ['no number', 'a,b\n1,2\n1,two\n', { types: { b: 'number' } }, `line 3, column 'b': "two" is not a number.`],
    ['names twice', 'a,b,a\n', {}, "two columns are called 'a'."],
    ['an unknown column', 'a;b\n1;2\n', { columns: ['b'] }, "no column 'b'; there are: a;b. Is the delimiter right?"],
    [
      'an unknown column with a type',
      'a\n',
      { types: { b: 'string' } },
      "no column 'b'; there are: a. Is the delimiter right?",
    ],
    ['a binary file', Uint8Array.of(0x61, 0x0a, 0x00), {}, 'byte 2 is zero: not a text file in UTF-8.'],
  ])('%s', async (_, text, options, message) => {
    await expect(read(text, options)).rejects.toThrow(new FileError(`csv ${file}: ${message}`));
  });

  test('a missing file, a folder, options that make no sense', async () => {
    const missing = join(folder, 'missing.csv');
    await expect(data.readCsv(missing)).rejects.toThrow(new FileError(`csv ${missing}: no such file or folder.`));
    await expect(data.readCsv(folder)).rejects.toThrow(FileError);
    await expect(read('a\n1', { types: { a: 'date' as never } })).rejects.toThrow(
      new ArgumentError("readCsv: the type of 'a' must be 'number' or 'string', not 'date'."),
    );
    await expect(read('a\n1', { delimiter: '' })).rejects.toThrow(ArgumentError);
  });

  test('cut at every length; random bytes changed', async () => {
    const bytes = Buffer.from('a,"b c",d\n1,"x ""y""",2.5\n"3\n4",,NA\n5,z,6\n');
    const attempt = (damaged: Uint8Array): Promise<unknown> =>
      read(damaged).catch((error: unknown) => {
        if (!(error instanceof ThalwegError)) throw error;
      });
    for (let length = 0; length < bytes.length; length++) await attempt(bytes.subarray(0, length));
    for (let round = 0; round < 300; round++) {
      const [at, value] = philox([round, 0, 0, 0], [1, 8]);
      const damaged = Uint8Array.from(bytes);
      damaged[at % bytes.length] = value & 0xff;
      await attempt(damaged);
    }
  });
});

describe('tables', () => {
  test('to tensors', async () => {
    const table = await read('x,y,name\n1,2,b\n3,,a\n5,6,b');
    const x = table.toTensor();
    expect([x.dtype, ...x.shape]).toEqual(['float32', 3, 2]);
    expect(await x.array()).toEqual([
      [1, 2],
      [3, NaN],
      [5, 6],
    ]);
    expect(await table.toTensor('x', { dtype: 'int64' }).data()).toEqual(BigInt64Array.of(1n, 3n, 5n));
    expect(table.toTensor(['x'], { dtype: 'float64' }).shape).toEqual([3, 1]);
    expect(() => table.toTensor('y', { dtype: 'int64' })).toThrow(
      "Table: row 1 of column 'y' is missing, which int64 cannot hold.",
    );
    expect(() => table.toTensor('name')).toThrow(
      "Table: column 'name' holds text; use categories('name'), or read it with { types: { 'name': 'number' } }.",
    );
    expect(() => table.toTensor('z')).toThrow("Table: no column 'z'; there are: x, y, name.");
    expect(() => table.strings('x')).toThrow("Table: column 'x' holds numbers");
  });

  test('categories', async () => {
    const table = await read('s,n,m\nb,10,1\na,9,\nb,10,2');
    const { codes, classes } = table.categories('s');
    expect(classes).toEqual(['a', 'b']);
    expect(await codes.data()).toEqual(BigInt64Array.of(1n, 0n, 1n));
    expect(table.categories('n').classes).toEqual(['9', '10']);
    expect(() => table.categories('m')).toThrow("Table: row 1 of column 'm' is missing; fill or drop it first.");
  });
});

describe('streamCsv', () => {
  test('tables of some rows', async () => {
    await writeFile(file, `a,b\n${Array.from({ length: 25 }, (_, i) => `${i},t${i}`).join('\n')}\n`);
    const tables: data.Table[] = [];
    for await (const table of data.streamCsv(file, { rows: 10 })) tables.push(table);
    expect(tables.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect([...tables[2].numbers('a')]).toEqual([20, 21, 22, 23, 24]);
    expect(tables[1].strings('b')[0]).toBe('t10');
  });

  test('leaving early closes the file; a text after numbers is told', async () => {
    await writeFile(file, 'a\n1\n2\nx\n');
    for await (const table of data.streamCsv(file, { rows: 1 })) {
      expect(table.length).toBe(1);
      break;
    }
    const all = async (options: data.CsvStreamOptions): Promise<number> => {
      let count = 0;
      for await (const { length } of data.streamCsv(file, options)) count += length;
      return count;
    };
    await expect(all({ rows: 2 })).rejects.toThrow(
      new FileError(
        `csv ${file}: line 4, column 'a': "x" is not a number, as all values of the first 2 rows; ` +
          "give { types: { 'a': 'string' } }.",
      ),
    );
    expect(await all({ rows: 2, types: { a: 'string' } })).toBe(3);
    await expect(all({ rows: 0 })).rejects.toThrow('streamCsv: rows must be an integer of at least 1, not 0.');
  });
});
