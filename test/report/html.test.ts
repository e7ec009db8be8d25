// The page about a run: what stands in it, that no text gets out of its place, and what a browser makes of it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { rand, report, utils } from 'thalweg';
import { errorOf } from '../error-of.js';
import { findChromium, openPage } from './chromium.js';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const classes = ['cat', 'dog', 'ship', 'truck'];

async function example(overrides: Partial<report.ReportData> = {}): Promise<report.ReportData> {
  const epochs = Array.from({ length: 12 }, (_, epoch) => ({
    epoch,
    step: (epoch + 1) * 100,
    lr: 0.1 * 0.8 ** epoch,
    batchSize: 64,
    seconds: 3 + Math.sin(epoch) / 4,
    samples: 6400,
    logs: {
      loss: 2 / (epoch + 1),
      accuracy: 1 - 0.7 / (epoch + 1),
      valLoss: 2.1 / (epoch + 1) + 0.02 * epoch,
      valAccuracy: 0.95 - 0.65 / (epoch + 1),
    },
  }));
  const steps = Array.from({ length: 1200 }, (_, i) => ({
    step: i + 1,
    loss: 2 / (1 + i / 100) + 0.1 * Math.sin(i * 12.9),
    lr: 0.1 * 0.8 ** Math.floor(i / 100),
    gradNorm: 3 / (1 + i / 200) + 0.5 + 0.4 * Math.sin(i * 7.7),
  }));
  const at = Array.from({ length: 12 }, (_, i) => i * 100);
  const samples = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => ({
      png: await utils.encodePng(rand([3, 32, 32])),
      prediction: classes[i % 4],
      truth: classes[i % 5 === 0 ? (i + 1) % 4 : i % 4],
      confidence: 0.5 + (i % 5) / 10,
    })),
  );
  return {
    title: 'CIFAR CNN',
    subtitle: 'SGD with momentum, batch 64',
    started: new Date(0),
    plannedEpochs: 12,
    epochs,
    steps,
    layers: ['conv1.weight', 'conv2.weight', 'fc.weight'].map((name, k) => ({
      name,
      steps: at,
      gradNorms: at.map((i) => (k + 1) / (1 + i / 300)),
      weightNorms: at.map((i) => 5 + k + i / 500),
    })),
    confusion: {
      classes,
      matrix: [
        [90, 6, 1, 3],
        [9, 85, 2, 4],
        [1, 0, 97, 2],
        [2, 1, 4, 93],
      ],
    },
    samples,
    summary: 'layer        parameters\nConv2d conv1        896',
    parameters: 122_570,
    config: { optimizer: 'SGD', lr: 0.1, betas: [0.9, 0.999] },
    machine: { processor: 'an example', thalweg: '0.1.0' },
    ...overrides,
  };
}

describe('report.html', () => {
  test('is one small file without links', async () => {
    const page = report.html(await example());
    expect(page.length).toBeLessThan(1_200_000);
    const own = page.replace(/<script>[\s\S]*?<\/script>/g, '');
    expect(own).not.toMatch(/https?:|src="(?!data:)|@import|url\(/);
    for (const text of ['CIFAR CNN', '122 570', 'Validation accuracy', 'an example', '[0.9,0.999]', 'Conv2d conv1']) {
      expect(own).toContain(text);
    }
  });

  test('lets no text out of its place', async () => {
    const bad = `</script></style></pre><script>window.bad=1</script><img src=x onerror="window.bad=1">'"&`;
    const page = report.html(
      await example({
        title: bad,
        subtitle: bad,
        reason: bad,
        confusion: {
          classes: [bad, bad],
          matrix: [
            [1, 2],
            [3, 4],
          ],
        },
        samples: [{ text: bad, prediction: bad, truth: bad }],
        layers: [{ name: bad, steps: [1], gradNorms: [1], weightNorms: [1] }],
        config: { [bad]: bad, list: [bad] },
        machine: { [bad]: bad },
        summary: bad,
      }),
    );
    expect(page).not.toContain('<script>window.bad');
    expect(page).not.toContain('<img src=x');
    // The page's own scripts and nothing else: data, library, drawing.
    expect(page.match(/<script/g)!.length - (page.match(/["'`]<script/g)?.length ?? 0)).toBe(3);
  });

  test('is whole with nothing but a title, with numbers that are not finite, and in the middle of a run', () => {
    const log = {
      epoch: 0,
      step: 1,
      lr: 0.1,
      batchSize: 1,
      seconds: 0,
      samples: 0,
      logs: { loss: NaN, valLoss: Infinity },
    };
    for (const data of [{}, { epochs: [] }, { epochs: [log] }, { steps: [{ step: 1, loss: NaN }] }, { samples: [] }]) {
      const page = report.html({ title: 'a', status: 'running', ...data });
      expect(page.trimEnd().endsWith('</html>')).toBe(true);
      expect(page.replace(/<script[\s\S]*?<\/script>/g, '')).not.toMatch(/undefined/);
    }
    expect(errorOf(() => report.html({} as report.ReportData))).toBe(
      'ArgumentError: report.html: the data must have a title.',
    );
    expect(errorOf(() => report.html({ title: 'a', status: 'x' as 'done' }))).toMatch(/status must be/);
  });
});

const chromium = findChromium();

describe.skipIf(chromium === undefined)('in Chromium (skipped where there is none; THALWEG_CHROMIUM names one)', () => {
  test('charts are drawn, and nothing is said on the console', async () => {
    const file = join(folder, 'run.html');
    const bad = `</script><script>console.error('out')</script>`;
    await report.write(file, await example({ config: { optimizer: 'SGD', note: bad } }));
    expect(readFileSync(file, 'utf8')).toContain('CIFAR CNN');
    const { dom, console: said } = await openPage(chromium!, file);
    expect(said).toEqual([]);
    const charts = [...dom.matchAll(/<div class="chart" id="(chart-\d+)"[\s\S]*?<\/section>/g)];
    expect(charts.length).toBe(8);
    for (const [text] of charts) {
      expect(text).toContain('<svg');
      // A line of several points that are somewhere.
      const lines = [...text.matchAll(/<path d="(M[^"]*)" fill="none"[^>]*stroke-width="2"/g)].map(([, path]) => path);
      expect(lines.some((path) => path.split(/[ML]/).length > 10)).toBe(true);
      expect(text).not.toContain('NaN');
    }
    expect(dom).toContain('data-theme="light"');
    for (const name of ['training', 'validation', 'conv2.weight', 'update']) expect(dom).toContain(`>${name}</text>`);
    expect(dom).toContain('ship taken for truck: 2 of 100');
    expect([...dom.matchAll(/<img alt="[a-z]+" src="data:image\/png/g)].length).toBe(12);
  });
});
