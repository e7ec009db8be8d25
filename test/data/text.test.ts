import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, data, FileError } from 'thalweg';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-text-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function written(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

test('lines with all kinds of ends', async () => {
  expect(await data.readLines(await written('a', '\ufeffa\r\nb\n\nc\rd'))).toEqual(['a', 'b', '', 'c', 'd']);
  expect(await data.readLines(await written('a', 'a\n \nb\n'), { skipEmpty: true })).toEqual(['a', 'b']);
  expect(await data.readLines(await written('a', ''))).toEqual([]);
});

test('encodings', async () => {
  const file = await written('a', Buffer.from('caf\xe9\nna\xefve\n', 'latin1'));
  expect(await data.readLines(file, { encoding: 'latin1' })).toEqual(['café', 'naïve']);
  await expect(data.readLines(file)).rejects.toThrow(
    new FileError(`text ${file}: line 1 is not UTF-8; older files may need { encoding: 'latin1' }.`),
  );
  const later = await written('b', Buffer.concat([Buffer.from('é\nb\n'), Buffer.of(0xff), Buffer.from('\nc')]));
  await expect(data.readLines(later)).rejects.toThrow(`text ${later}: line 3 is not UTF-8`);
  await expect(data.readLines(await written('c', 'a\0b'))).rejects.toThrow('byte 1 is zero: not a text file in utf-8.');
  await expect(data.readLines(file, { encoding: 'ascii' as never })).rejects.toThrow(
    new ArgumentError("readLines: encoding must be 'utf-8' or 'latin1', not 'ascii'."),
  );
  await expect(data.readLines(folder)).rejects.toThrow(new FileError(`text ${folder}: it is a folder.`));
});

test('texts with labels', async () => {
  const file = await written('a.tsv', 'a "fine\tfilm\t1\n\nbad\t0\nso so\t10\n');
  const set = await data.readLabelledText(file);
  expect(set.texts).toEqual(['a "fine\tfilm', 'bad', 'so so']);
  expect(set.classes).toEqual(['0', '1', '10']);
  expect(set.labels).toEqual(BigInt64Array.of(1n, 0n, 2n));
  expect(set.get(-1)).toEqual(['so so', 2n]);
  expect(() => set.get(3)).toThrow('TextDataset: index 3 is out of range for 3 samples.');
  const loader = new data.DataLoader(set, { batchSize: 3 });
  for await (const [texts, labels] of loader) {
    expect(texts).toEqual(set.texts);
    expect(await labels.data()).toEqual(set.labels);
  }
  const first = await data.readLabelledText(await written('b', 'label,text\nspam,buy, now\nham,hello'), {
    delimiter: ',',
    label: 'first',
    header: true,
    classes: ['spam', 'ham'],
  });
  expect(first.texts).toEqual(['buy, now', 'hello']);
  expect(first.labels).toEqual(BigInt64Array.of(0n, 1n));
});

test('lines that are not right', async () => {
  const file = await written('a.tsv', 'good\t1\n\nbad\n');
  await expect(data.readLabelledText(file)).rejects.toThrow(
    new FileError(`text ${file}: line 3 has no "\\t" between text and label.`),
  );
  const odd = await written('b.tsv', 'good\t1\nbad\t7\n');
  await expect(data.readLabelledText(odd, { classes: ['0', '1'] })).rejects.toThrow(
    new FileError(`text ${odd}: line 2: the label "7" is none of 0, 1.`),
  );
  await expect(data.readLabelledText(odd, { delimiter: '' })).rejects.toThrow(ArgumentError);
  await expect(data.readLabelledText(odd, { label: 'middle' as never })).rejects.toThrow(ArgumentError);
});

test('a file per class', async () => {
  const negative = await written('neg', 'dull\n');
  const positive = await written('pos', 'fine\n\nlovely\n');
  const set = await data.readTextClasses({ negative, positive });
  expect([...set.texts, ...set.labels, ...set.classes]).toEqual([
    'dull',
    'fine',
    'lovely',
    0n,
    1n,
    1n,
    'negative',
    'positive',
  ]);
  await expect(data.readTextClasses({ negative: join(folder, 'none') })).rejects.toThrow('no such file or folder.');
});
