// A run seen by TensorBoard and by a report.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { data, manualSeed, nn, optim, randn, tensorboard, train, type Tensor } from 'thalweg';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-seeing-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function fit(callbacks: train.Callback[], epochs = 2): Promise<train.FitResult> {
  manualSeed(1);
  const x = randn([64, 1, 4, 4]);
  const y = x.flatten(1).sum(1).gt(0).to('int64');
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 8), new nn.ReLU(), new nn.Linear(8, 2));
  return train.fit(model, {
    data: new data.TensorDataset(x as Tensor, y as Tensor),
    validation: new data.TensorDataset(x as Tensor, y as Tensor),
    batchSize: 16,
    optimizer: (m) => new optim.SGD(m.parameters(), { lr: 0.1 }),
    loss: nn.functional.crossEntropy,
    epochs,
    seed: 1,
    clip: 1,
    quiet: true,
    callbacks,
  });
}

test('TensorBoard has losses, rates, norms, histograms, the graph, pictures and hyperparameters', async () => {
  const logDir = join(folder, 'run');
  const board = new train.TensorBoard({
    logDir,
    updateFreq: 2,
    histogramFreq: 1,
    graphInput: randn([1, 1, 4, 4]),
    images: randn([4, 1, 4, 4]),
    hparams: { lr: 0.1 },
  });
  const { history } = await fit([new train.Statistics({ every: 4 }), board]);
  const values: { tag: string; step: number; scalar: number | undefined }[] = [];
  const [file] = readdirSync(logDir);
  let graph = 0;
  for await (const event of tensorboard.readEvents(join(logDir, file), { strict: true })) {
    graph += event.graph?.length ?? 0;
    for (const { tag, scalar } of event.values) values.push({ tag, step: event.step, scalar });
  }
  expect(graph).toBeGreaterThan(5);
  const of = (tag: string): (number | undefined)[] => values.filter((v) => v.tag === tag).map((v) => v.scalar);
  expect(of('loss/train')).toEqual(history.map(({ logs }) => Math.fround(logs['loss'])));
  expect(of('loss/validation')).toEqual(history.map(({ logs }) => Math.fround(logs['valLoss'])));
  expect(of('update/loss').length).toBe(4);
  expect(of('update/gradNorm').length).toBe(4);
  expect(of('weights/1.weight').length).toBe(2);
  expect(of('gradients/3.bias').length).toBe(2);
  expect(of('gradNorm/1.weight').length).toBe(2);
  for (const tag of ['images', 'config/text_summary', '_hparams_/session_start_info', '_hparams_/session_end_info']) {
    expect(of(tag).length).toBe(1);
  }
});

test('a report is whole after each epoch, tells how the run ends, and shows what the model says', async () => {
  const file = join(folder, 'run.html');
  const inputs = randn([10, 1, 4, 4]);
  const seen: string[] = [];
  const report = new train.Report({
    file,
    title: 'A <run>',
    updateFreq: 1,
    input: [1, 1, 4, 4],
    classes: ['minus', 'plus'],
    examples: { inputs, targets: [0, 1, 0, 1, 0, 1, 0, 1, 0, 1] },
    shown: 6,
  });
  const watch: train.Callback = {
    onEpochEnd: (run) => {
      seen.push(readFileSync(file, 'utf8'));
      if (run.epoch === 1) run.stop('enough');
    },
  };
  await fit([new train.Statistics({ every: 2 }), report, watch], 5);
  expect(seen.length).toBe(2);
  for (const page of seen) {
    expect(page).toContain('class="pill running"');
    expect(page.trimEnd().endsWith('</html>')).toBe(true);
  }
  const page = readFileSync(file, 'utf8');
  expect(page).toContain('A &lt;run&gt;');
  expect(page).toContain('class="pill stopped"');
  expect(page).toContain('stopped: enough');
  expect(page.match(/<img alt="(minus|plus)"/g)!.length).toBe(6);
  expect(page).toContain('Confusion matrix');
  const charts = JSON.parse(/id="charts">(.*?)<\/script>/.exec(page)![1]) as { title: string }[];
  expect(charts.map(({ title }) => title)).toEqual([
    'Loss',
    'Loss of single updates',
    'Learning rate',
    'Norm of the gradients',
    'Samples per second',
    'Gradient norms of parameters',
    'Norms of parameters',
  ]);
});

test('what cannot be written is a warning, and the run goes on', async () => {
  const warnings: string[] = [];
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
  const { epochs } = await fit([new train.Report({ file: join(folder, 'no', 'run.html') })]);
  warn.mockRestore();
  expect(epochs).toBe(2);
  expect(warnings).toEqual([expect.stringMatching(/^Report: write .*no such file or folder\. The run goes on\.$/)]);
});
