// What a SummaryWriter writes, read again; bytes against those of TensorBoard's own writer.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { arange, memory, nn, randn, tensor, tensorboard, zeros, type Tensor } from 'thalweg';
import { event, fileVersion, histogramValue, message, scalarValue, summary } from '../../src/tensorboard/messages.js';
import { crc32c, frame } from '../../src/tensorboard/records.js';
import { errorOf } from '../error-of.js';

const { readEvents, SummaryWriter } = tensorboard;
const root = mkdtempSync(join(tmpdir(), 'thalweg-events-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'run-'));
});

async function read(file: string, options?: tensorboard.ReadEventsOptions): Promise<tensorboard.EventRecord[]> {
  const events: tensorboard.EventRecord[] = [];
  for await (const one of readEvents(file, options)) events.push(one);
  return events;
}

const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

async function written(write: (writer: tensorboard.SummaryWriter) => unknown): Promise<tensorboard.EventRecord[]> {
  const writer = new SummaryWriter(folder);
  await write(writer);
  await writer.close();
  return (await read(writer.path)).slice(1);
}

describe('bytes', () => {
  test("are those of TensorBoard's own writer", () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(frame(bytes)).toString('hex');
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(hex(message(event(1.5, null, fileVersion)))).toBe(
      '1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c',
    );
    expect(hex(message(event(1.5, 7, summary([scalarValue('loss', 0.25)]))))).toBe(
      '1a00000000000000129bd82d09000000000000f83f10072a0d0a0b0a046c6f7373150000803ec9d07b8d',
    );
    const histogram = { min: -1, max: 2, num: 3, sum: 1, sumSquares: 5, limits: [-0.5, 0, 2.5], counts: [1, 0, 2] };
    expect(hex(message(event(1.5, 300, summary([histogramValue('w', histogram)]))))).toBe(
      '76000000000000004e43f07d09000000000000f83f10ac022a680a660a01772a6109000000000000f0bf1100000000000000401900000000000008' +
        '4021000000000000f03f2900000000000014403218000000000000e0bf000000000000000000000000000004403a18000000000000f03f00000000' +
        '000000000000000000000040e548410a',
    );
  });
});

describe('SummaryWriter', () => {
  test('writes scalars with steps and times', async () => {
    const events = await written((writer) => {
      writer.addScalar('loss/train', 0.5, 1, { wallTime: 1234.5 });
      writer.addScalar('loss/train', tensor(0.25), 2 ** 40);
      writer.addScalar('loss/train', NaN);
    });
    expect(events[0]).toEqual({ wallTime: 1234.5, step: 1, values: [{ tag: 'loss/train', scalar: 0.5 }] });
    expect(events[1].step).toBe(2 ** 40);
    expect(Math.abs(events[1].wallTime - Date.now() / 1000)).toBeLessThan(60);
    expect(events[2].values[0].scalar).toBeNaN();
    const [file] = readdirSync(folder);
    expect(file).toMatch(/^events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+$/);
    expect((await read(join(folder, file)))[0].fileVersion).toBe('brain.Event:2');
  });

  test('writes several scalars as runs of their own', async () => {
    await written((writer) => writer.addScalars('loss', { train: 1, 'val/a': 2 }, 3));
    const folders = readdirSync(folder).filter((name) => name.startsWith('loss'));
    expect(folders).toEqual(['loss_train', 'loss_val_a']);
    const [file] = readdirSync(join(folder, 'loss_val_a'));
    expect((await read(join(folder, 'loss_val_a', file)))[1].values).toEqual([{ tag: 'loss', scalar: 2 }]);
  });

  test('counts values in buckets that grow by a tenth', async () => {
    const values = [-3, 0, 0, 1e-13, 0.5, 0.5, 7, 1e25, NaN, Infinity];
    const [one] = await written((writer) => writer.addHistogram('w', tensor(values), 4));
    const { histogram } = one.values[0];
    const finite = values.filter(Number.isFinite).map(Math.fround);
    expect(histogram!.num).toBe(8);
    expect([histogram!.min, histogram!.max]).toEqual([-3, Math.fround(1e25)]);
    expect(histogram!.sum).toBeCloseTo(
      finite.reduce((a, b) => a + b, 0),
      -18,
    );
    const { limits, counts } = histogram!;
    expect(counts.length).toBe(limits.length);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(8);
    limits.forEach((limit, i) => {
      const below = i === 0 ? -Infinity : limits[i - 1];
      expect(counts[i]).toBe(finite.filter((v) => v > below && v <= limit).length);
      if (i > 0 && limit > 1e-12 && limit < 1e20 && below > 0) expect(limit / below).toBeCloseTo(1.1, 9);
    });
    expect([counts[0], counts.at(-1)]).toEqual([1, 1]);
  });

  test('takes empty, integer, half and constant tensors as histograms', async () => {
    const events = await written(async (writer) => {
      await writer.addHistogram('a', zeros([0]));
      await writer.addHistogram('b', tensor([1, 2, 3], { dtype: 'int64' }));
      await writer.addHistogram('c', tensor([1, 2, 3]).to('bfloat16'));
      await writer.addHistogram('d', tensor([NaN]));
      await writer.addHistogram('e', zeros([100]));
    });
    const of = events.map(({ values: [{ histogram }] }) => [
      histogram!.num,
      histogram!.min,
      histogram!.max,
      histogram!.sum,
    ]);
    expect(of).toEqual([
      [0, 0, 0, 0],
      [3, 1, 3, 6],
      [3, 1, 3, 6],
      [0, 0, 0, 0],
      [100, 0, 0, 0],
    ]);
  });

  test('writes images, text and curves', async () => {
    const image = arange(0, 2 * 3 * 3)
      .reshape([3, 2, 3])
      .to('uint8');
    const events = await written(async (writer) => {
      await writer.addImage('x', image, 1);
      await writer.addImage('x', image.permute([1, 2, 0]), 1, { layout: 'HWC' });
      await writer.addImages('grid', zeros([5, 1, 4, 4]), 2, { columns: 3 });
      await writer.addImages('grid', zeros([5, 4, 4, 3]), 2, { layout: 'NHWC' });
      writer.addText('note', '# Über *alles*', 3);
      await writer.addPrCurve('pr', tensor([1, 0, 1, 1]), tensor([0.95, 0.85, 0.4, 0.05]), 4, { numThresholds: 11 });
    });
    const images = events.slice(0, 4).map(({ values }) => values[0].image!);
    expect(images.map(({ width, height, channels }) => [width, height, channels])).toEqual([
      [3, 2, 3],
      [3, 2, 3],
      [20, 14, 3],
      [32, 8, 3],
    ]);
    expect([...decode(images[0].encoded).data]).toEqual([...image.permute([1, 2, 0]).dataSync()]);
    expect(images[1].encoded).toEqual(images[0].encoded);
    expect(events[4].values[0]).toMatchObject({ tag: 'note/text_summary', plugin: 'text' });
    expect(events[4].values[0].tensor).toEqual({ shape: [1], floats: [], texts: ['# Über *alles*'] });
    const { tensor: curve, plugin } = events[5].values[0];
    expect([plugin, curve!.shape]).toEqual(['pr_curves', [6, 11]]);
    const row = (r: number): number[] => curve!.floats.slice(r * 11, r * 11 + 11);
    expect(row(0)).toEqual([3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0]);
    expect(row(1)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    expect(row(4)[5]).toBe(0.5);
    expect(row(5)[0]).toBe(1);
  });

  test('writes hyperparameters as a run inside', async () => {
    await written((writer) =>
      writer.addHparams({ lr: 0.1, optimizer: 'SGD', nesterov: true }, { 'hparam/loss': 0.5 }, { runName: 'a' }),
    );
    const [file] = readdirSync(join(folder, 'a'));
    const values = (await read(join(folder, 'a', file))).flatMap((one) => one.values);
    expect(values.map(({ tag, plugin }) => [tag, plugin])).toEqual([
      ['_hparams_/experiment', 'hparams'],
      ['_hparams_/session_start_info', 'hparams'],
      ['hparam/loss', undefined],
      ['_hparams_/session_end_info', 'hparams'],
    ]);
    expect(Buffer.from(values[1].content!).toString('latin1')).toContain('optimizer');
  });

  test('writes the graph of a model, and leaves it as it was', async () => {
    class Net extends nn.Module {
      readonly embed = new nn.Embedding(10, 4);
      readonly layers = new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU(), new nn.Linear(3, 2));
      override forward(tokens: Tensor, scale: Tensor): Tensor {
        return this.layers.forward(this.embed.forward(tokens)).mul(scale);
      }
    }
    const net = new Net();
    const inputs = [tensor([1, 2], { dtype: 'int64' }), tensor(3)];
    const before = memory().tensors;
    const [{ graph }] = await written((writer) => writer.addGraph(net, inputs));
    expect(memory().tensors).toBe(before);
    const nodes = new Map(graph!.map((node) => [node.name, node]));
    expect(nodes.size).toBe(graph!.length);
    for (const { inputs: from } of graph!) for (const name of from) expect(nodes.has(name.split(':')[0])).toBe(true);
    expect(nodes.get('Net/Sequential[layers]/Linear[2]/weight')).toMatchObject({ op: 'Parameter', shapes: [[2, 3]] });
    const product = nodes.get('Net/mul')!;
    expect(product.shapes).toEqual([[2, 2]]);
    expect(product.inputs).toContain('input/1');
    expect(nodes.get('output/0')!.inputs).toEqual(['Net/mul']);
    // From the output back to the tokens, which have no gradient.
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      nodes.get(name.split(':')[0])!.inputs.forEach(visit);
    };
    visit('output/0');
    expect([...reached]).toEqual(expect.arrayContaining(['input/0', 'input/1', 'Net/Embedding[embed]/weight']));
    expect(net.training).toBe(true);
  });

  test('writes vectors for the projector', async () => {
    const writer = new SummaryWriter(folder);
    await writer.addEmbedding(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      { labels: ['a\tb', 'c'], images: zeros([2, 1, 4, 4]), step: 3 },
    );
    await writer.close();
    expect(readFileSync(join(folder, '00003/default/tensors.tsv'), 'utf8')).toBe('1\t2\n3\t4\n');
    expect(readFileSync(join(folder, '00003/default/metadata.tsv'), 'utf8')).toBe('a b\nc\n');
    expect(readFileSync(join(folder, 'projector_config.pbtxt'), 'utf8')).toContain('"00003/default/sprite.png"');
    expect(await rejection(writer.addEmbedding(zeros([2, 2]), { tag: '../x' }))).toMatch(
      /^ArgumentError: addEmbedding/,
    );
  });

  test('writes in batches, on request, after a time, and at close; two writers do not meet', async () => {
    const writer = new SummaryWriter(folder, { maxQueue: 3, flushSecs: 0.05 });
    const other = new SummaryWriter(folder);
    expect(other.path).not.toBe(writer.path);
    const size = (): number => readFileSync(writer.path).length;
    expect(size()).toBe(0);
    writer.addScalar('a', 1);
    writer.addScalar('a', 2);
    expect(size()).toBe(0);
    writer.addScalar('a', 3);
    const after = size();
    expect(after).toBeGreaterThan(0);
    writer.addScalar('a', 4);
    await expect.poll(size, { timeout: 10_000 }).toBeGreaterThan(after);
    writer.addScalar('a', 5);
    await writer.flush();
    expect((await read(writer.path)).length).toBe(6);
    void writer.addHistogram('h', randn([10]));
    await writer.close();
    await writer.close();
    expect((await read(writer.path)).length).toBe(7);
    expect(errorOf(() => writer.addScalar('a', 6))).toBe(`FileError: write ${writer.path}: the writer was closed.`);
    await other.close();
  });

  test('refuses what it cannot write', async () => {
    const writer = new SummaryWriter(folder);
    expect(errorOf(() => writer.addScalar('', 1))).toMatch(/^ArgumentError: addScalar: the tag/);
    expect(errorOf(() => writer.addScalar('a', 1, 0.5))).toMatch(/^ArgumentError: addScalar: the step/);
    expect(errorOf(() => writer.addScalar('a', '1' as unknown as number))).toMatch(
      /^ArgumentError: addScalar: the value/,
    );
    expect(await rejection(writer.addImage('a', zeros([5, 2, 2])))).toMatch(/^ShapeError: addImage/);
    expect(await rejection(writer.addPrCurve('a', zeros([3]), zeros([2])))).toMatch(/3 labels and 2 predictions/);
    expect(errorOf(() => writer.addHparams({ a: null as unknown as number }, {}))).toMatch(/'a' is of type object/);
    expect(errorOf(() => writer.addHparams({}, {}, { runName: '../x' }))).toMatch(/runName/);
    await writer.close();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(errorOf(() => new SummaryWriter(join(file, 'x')))).toMatch(/^FileError: write .*not a folder/);
    expect(errorOf(() => new SummaryWriter(folder, { flushSecs: 0 }))).toMatch(/flushSecs/);
  });
});

describe('readEvents', () => {
  async function sample(): Promise<Buffer> {
    const writer = new SummaryWriter(folder);
    writer.addScalar('a', 1, 1);
    writer.addText('b', 'text', 2);
    await writer.addHistogram('c', tensor([1, 2, 3]), 3);
    await writer.close();
    return readFileSync(writer.path);
  }

  test('reads a file cut short at any byte up to there', async () => {
    const bytes = await sample();
    const file = join(folder, 'cut');
    const ends: number[] = [];
    for (let at = 0; at < bytes.length;) ends.push((at += 16 + Number(bytes.readBigUInt64LE(at))));
    expect(ends.at(-1)).toBe(bytes.length);
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(file, bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length).length;
      expect((await read(file)).length).toBe(whole);
      if (length % 7 === 1 && !ends.includes(length)) {
        expect(await rejection(read(file, { strict: true }))).toMatch(
          `FileError: events ${file}: the record at byte ${ends[whole - 1] ?? 0} needs `,
        );
      }
    }
  });

  test('names the byte where a bit is flipped', async () => {
    const bytes = await sample();
    const file = join(folder, 'flipped');
    const starts: number[] = [];
    for (let at = 0; at < bytes.length; at += 16 + Number(bytes.readBigUInt64LE(at))) starts.push(at);
    for (let at = 0; at < bytes.length; at += 3) {
      const copy = Buffer.from(bytes);
      copy[at] ^= 1 << (at % 8);
      writeFileSync(file, copy);
      const start = starts.filter((s) => s <= at).at(-1)!;
      const message = await rejection(read(file));
      expect(message).toMatch(/^FileError: events .*: the checksum of the record/);
      expect(message).toContain(`at byte ${start} is wrong`);
    }
  });

  test('refuses records that are whole and no events', async () => {
    const file = join(folder, 'garbage');
    for (let i = 0; i < 300; i++) {
      const content = Uint8Array.from({ length: i % 40 }, (_, k) => (i * 2654435761 + k * 40503) >>> (k % 13));
      writeFileSync(file, frame(content));
      const message = await rejection(read(file));
      if (message !== 'no error') expect(message).toMatch(/^FileError: events .*: the record at byte 0 is no event: /);
    }
    writeFileSync(file, frame(Uint8Array.of(0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f)));
    expect(await rejection(read(file))).toMatch(/^FileError: .* is no event/);
    expect(await rejection(read(join(folder, 'nothing')))).toMatch(/^FileError: read .*no such file/);
  });
});
