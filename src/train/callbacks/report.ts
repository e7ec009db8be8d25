// A run as an HTML file, written anew after each epoch.
import { noGrad } from '../../autograd/mode.js';
import { collectInfo } from '../../cli/info.js';
import { ArgumentError, ShapeError, ThalwegError } from '../../errors.js';
import { reasonOf } from '../../io/file.js';
import { encodePng } from '../../io/png.js';
import { tidy } from '../../memory.js';
import type { MetricValue } from '../../metrics/metric.js';
import type { AnyModule } from '../../nn/module.js';
import { formatShape } from '../../shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import type { ReportConfusion, ReportData, ReportLayer, ReportSample, ReportStep } from '../../report/data.js';
import { echartsSource } from '../../report/echarts.js';
import { write } from '../../report/html.js';
import { imageGrid } from '../../utils/imageGrid.js';
import { summary, type SummaryInput } from '../../utils/summary.js';
import type { Callback, EpochRecord, Run, StepRecord } from '../callback.js';
import { inEvaluation } from '../evaluate.js';

/** Examples that a report shows the model's answers to. */
export interface ReportExamples {
  /** What the model is given, `[count, ...]`. Images `[count, channels, height, width]` are shown. */
  inputs: Tensor;
  /** The true classes, as many. */
  targets: Tensor | readonly number[];
  /** What stands for the inputs that are no images, as many. */
  texts?: readonly string[];
}

/** Options of `Report`. */
export interface ReportOptions {
  /** The file; its folder must exist. */
  file: string;
  /** The heading. Default: the name of the model's class. */
  title?: string;
  /** A line below it. */
  subtitle?: string;
  /** Updates from one look at the loss, the learning rate and the gradients' norm to the next. Default 20; 0: only epochs. */
  updateFreq?: number;
  /** An input of the model or its shape, for the output shapes and the arithmetic in the table of layers. */
  input?: SummaryInput | readonly SummaryInput[];
  /** Names of the classes. Default: their numbers. */
  classes?: readonly string[];
  /** Examples of a classifier; of all of them a confusion matrix is made, unless the metrics have one. */
  examples?: ReportExamples;
  /** Examples that are shown, wrong ones first. Default 24. */
  shown?: number;
}

const isMatrix = (value: MetricValue): value is readonly (readonly number[])[] =>
  Array.isArray(value) && value.length > 0 && value.every((row) => Array.isArray(row) && row.length === value.length);

/** Class and confidence of each example, in evaluation mode. */
function answers(model: AnyModule, inputs: Tensor): Promise<{ classes: number[]; sure: number[] }> {
  return inEvaluation(model, async () => {
    const result = { classes: [] as number[], sure: [] as number[] };
    const batch = 256;
    for (let start = 0; start < inputs.shape[0]; start += batch) {
      const made = noGrad(() =>
        tidy(() => {
          const part = inputs.detach().slice(0, start, Math.min(start + batch, inputs.shape[0]));
          const logits = model.forward(part);
          if (!isTensor(logits) || logits.ndim !== 2) {
            const got = isTensor(logits) ? formatShape(logits.shape) : typeof logits;
            throw new ShapeError(`Report: a classifier of examples gives [count, classes], this model gave ${got}.`);
          }
          const { values, indices } = logits.to('float32').softmax(1).max(1);
          return [indices, values] as const;
        }),
      );
      const [indices, values] = await Promise.all(made.map((t) => t.data()));
      for (const t of made) t.dispose();
      result.classes.push(...Array.from(indices as ArrayLike<number | bigint>, Number));
      result.sure.push(...Array.from(values as ArrayLike<number | bigint>, Number));
    }
    return result;
  });
}

async function pictureOf(inputs: Tensor, i: number): Promise<Uint8Array> {
  const float = inputs.dtype !== 'uint8';
  const image = tidy(() => {
    const one = noGrad(() => inputs.detach().slice(0, i, i + 1));
    const outside = float && (Number(one.min().itemSync()) < 0 || Number(one.max().itemSync()) > 1);
    return imageGrid(one, { normalize: outside });
  });
  try {
    return await encodePng(image);
  } finally {
    image.dispose();
  }
}

/**
 * Writes a page about the run after each epoch, atomically: losses, metrics, learning rate, norms (of parameters: with
 * `Statistics` among the callbacks), confusion matrix, examples, throughput, machine, configuration, layers. It is one HTML file
 * without links. Needs the optional peer `echarts`. A page that cannot be written is a warning; the run goes on.
 *
 * @example
 * const seen = new train.Report({ file: 'run.html', title: 'Digits', examples: { inputs: images, targets: labels } });
 * await train.fit(model, { ...options, callbacks: [new train.Statistics(), seen] });
 */
export class Report implements Callback {
  private steps: ReportStep[] = [];
  private fixed: Partial<ReportData> = {};
  private started = new Date();
  private warned = false;

  /** @throws ArgumentError for options out of range, or without echarts */
  constructor(private readonly options: ReportOptions) {
    const { file, updateFreq = 20, shown = 24, examples } = options;
    if (typeof file !== 'string' || file === '') {
      throw new ArgumentError(`Report: file must be the path of the page, got ${typeof file}.`);
    }
    for (const [name, value] of Object.entries({ updateFreq, shown })) {
      if (!Number.isInteger(value) || value < 0) {
        throw new ArgumentError(`Report: ${name} must be an integer of 0 or more, got ${String(value)}.`);
      }
    }
    if (examples !== undefined) {
      const count = examples.inputs.shape[0];
      const targets = isTensor(examples.targets) ? examples.targets.numel : examples.targets.length;
      if (targets !== count || (examples.texts !== undefined && examples.texts.length !== count)) {
        throw new ArgumentError(`Report: examples has ${count} inputs and ${targets} targets; there must be as many.`);
      }
    }
    // Not after an epoch of training.
    echartsSource('Report');
  }

  /** Looks at the model and the machine. */
  async onFitStart(run: Run): Promise<void> {
    if (run.resumedFrom === undefined) this.steps = [];
    this.started = new Date();
    this.warned = false;
    const info = await collectInfo();
    let layers: string;
    try {
      layers = String(summary(run.model, this.options.input));
    } catch (error) {
      layers = `${String(summary(run.model))}\n\n${reasonOf(error)}`;
    }
    this.fixed = {
      parameters: run.model.countParameters(),
      summary: layers,
      machine: {
        processor: `${info.cpu}, ${info.processors} processors`,
        memory: `${(info.memoryBytes / 2 ** 30).toFixed(1)} GiB`,
        system: info.system,
        runtime: info.runtime,
        thalweg: info.thalweg,
        ...(info.native === undefined
          ? {}
          : {
              instructions: info.native.isa,
              threads: String(info.native.threads),
              devices: info.native.devices.join(', '),
            }),
      },
    };
  }

  /** Notes the loss, the learning rate and the gradients' norm. */
  async onStep(_run: Run, record: StepRecord): Promise<void> {
    const { updateFreq = 20 } = this.options;
    if (updateFreq === 0 || record.step % updateFreq !== 0) return;
    const [loss, gradNorm] = await Promise.all([record.loss(), record.gradNorm()]);
    this.steps.push({ step: record.step, lr: record.lr, loss, ...(gradNorm === undefined ? {} : { gradNorm }) });
  }

  private layersOf(run: Run): ReportLayer[] {
    const layers = new Map<string, { name: string; steps: number[]; gradNorms: number[]; weightNorms: number[] }>();
    for (const { step, numbers } of run.notes) {
      for (const [key, value] of Object.entries(numbers)) {
        if (!key.startsWith('gradNorm/')) continue;
        const name = key.slice('gradNorm/'.length);
        let layer = layers.get(name);
        if (layer === undefined) layers.set(name, (layer = { name, steps: [], gradNorms: [], weightNorms: [] }));
        layer.steps.push(step);
        layer.gradNorms.push(value);
        layer.weightNorms.push(numbers[`weightNorm/${name}`] ?? NaN);
      }
    }
    return [...layers.values()];
  }

  private nameOf(index: number): string {
    return this.options.classes?.[index] ?? String(index);
  }

  private confusionOf(matrix: readonly (readonly number[])[]): ReportConfusion {
    return { classes: matrix.map((_, i) => this.nameOf(i)), matrix };
  }

  private async examples(run: Run): Promise<{ samples: ReportSample[]; confusion: ReportConfusion } | null> {
    const { examples, shown = 24 } = this.options;
    if (examples === undefined) return null;
    const { inputs, texts } = examples;
    const targets = isTensor(examples.targets)
      ? Array.from(await examples.targets.data(), Number)
      : [...examples.targets];
    const { classes, sure } = await answers(run.model, inputs);
    const size = Math.max(
      this.options.classes?.length ?? 0,
      ...classes.map((c) => c + 1),
      ...targets.map((c) => c + 1),
    );
    const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    targets.forEach((truth, i) => matrix[truth][classes[i]]++);
    const order = targets
      .map((_, i) => i)
      .sort((a, b) => Number(classes[a] === targets[a]) - Number(classes[b] === targets[b]) || a - b);
    const pictures = inputs.ndim === 4 && [1, 3, 4].includes(inputs.shape[1]);
    const samples = await Promise.all(
      order.slice(0, shown).map(async (i) => ({
        ...(pictures ? { png: await pictureOf(inputs, i) } : { text: texts?.[i] ?? `example ${i}` }),
        prediction: this.nameOf(classes[i]),
        truth: this.nameOf(targets[i]),
        confidence: sure[i],
      })),
    );
    return { samples, confusion: this.confusionOf(matrix) };
  }

  private async page(run: Run, status: ReportData['status'], reason?: string): Promise<void> {
    const { file, title = run.model.constructor.name, subtitle } = this.options;
    try {
      const values = Object.entries(run.history.at(-1)?.values ?? {}).filter(([, value]) => isMatrix(value));
      // That of the validation, where there is one.
      const measured = (values.find(([name]) => name.startsWith('val')) ?? values[0])?.[1];
      const seen = await this.examples(run);
      const confusion = measured !== undefined && isMatrix(measured) ? this.confusionOf(measured) : seen?.confusion;
      await write(file, {
        ...this.fixed,
        title,
        ...(subtitle === undefined ? {} : { subtitle }),
        ...(status === undefined ? {} : { status }),
        ...(reason === undefined ? {} : { reason }),
        started: this.started,
        plannedEpochs: run.epochs,
        epochs: run.history,
        steps: this.steps,
        layers: this.layersOf(run),
        config: run.config,
        ...(confusion === undefined ? {} : { confusion }),
        ...(seen === null ? {} : { samples: seen.samples }),
      });
    } catch (error) {
      if (this.warned) return;
      this.warned = true;
      process.emitWarning(
        `Report: ${error instanceof ThalwegError ? error.message : `${reasonOf(error)}.`} The run goes on.`,
      );
    }
  }

  /** Writes the page. */
  async onEpochEnd(run: Run, _record: EpochRecord): Promise<void> {
    await this.page(run, 'running');
  }

  /** Writes the page for the last time. */
  async onFitEnd(run: Run): Promise<void> {
    const { stopReason } = run;
    const early = stopReason !== undefined && stopReason !== 'finished';
    await this.page(run, early ? 'stopped' : 'done', early ? `stopped: ${stopReason}` : undefined);
  }

  /** Writes the page with the error. */
  async onError(run: Run, error: unknown): Promise<void> {
    await this.page(run, 'failed', reasonOf(error));
  }

  /** What was noted of the steps. */
  stateDict(): Record<string, unknown> {
    return { steps: this.steps };
  }

  /** Goes on from there. */
  loadStateDict(state: Record<string, unknown>): void {
    if (Array.isArray(state['steps'])) this.steps = [...(state['steps'] as ReportStep[])];
  }
}
