// What a run writes for TensorBoard. Names and meaning are those of torch.utils.tensorboard.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { noGrad } from '../autograd/mode.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { pngOf, toPixels, type ImageLayout } from '../io/png.js';
import { Module, type AnyModule } from '../nn/module.js';
import { checkTensor } from '../ops/define.js';
import { formatShape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { imageGrid } from '../utils/imageGrid.js';
import { writeEmbedding, type EmbeddingOptions } from './embedding.js';
import { EventFile } from './eventFile.js';
import { graphOf } from './graph.js';
import { histogramOf } from './histogram.js';
import * as proto from './messages.js';
import type { Fields, HParam } from './messages.js';
import { prCurve } from './prCurve.js';

/** Options of a `SummaryWriter`. */
export interface SummaryWriterOptions {
  /** Behind the name of the default folder. Default ''. */
  comment?: string;
  /** Events that wait in memory at most before they are written. Default 100. */
  maxQueue?: number;
  /** Seconds that events wait at most. Default 120. */
  flushSecs?: number;
  /** Behind the names of the event files. Default ''. */
  filenameSuffix?: string;
}

/** When an event happened. */
export interface EventOptions {
  /** Seconds since 1970. Default: now. */
  wallTime?: number;
}

/** Options of `addImage`. */
export interface ImageOptions extends EventOptions {
  /** How the dimensions lie. Default: `'CHW'`, of two dimensions `'HW'`. */
  layout?: ImageLayout;
}

/** Options of `addImages`. */
export interface ImagesOptions extends EventOptions {
  /** How the dimensions lie. Default `'NCHW'`. */
  layout?: 'NCHW' | 'NHWC';
  /** Images in a row. Default 8. */
  columns?: number;
}

/** Options of `addPrCurve`. */
export interface PrCurveOptions extends EventOptions {
  /** Thresholds between 0 and 1. Default 127. */
  numThresholds?: number;
}

/** Options of `addHparams`. */
export interface HparamsOptions {
  /** The folder of the run, inside the writer's. Default: the time. */
  runName?: string;
}

function defaultFolder(comment: string): string {
  const [date, time] = new Date().toISOString().split('T');
  return join('runs', `${date}_${time.slice(0, 8).replaceAll(':', '-')}_${hostname()}${comment}`);
}

function checkStep(op: string, step: number | undefined): void {
  if (step !== undefined && !Number.isSafeInteger(step)) {
    throw new ArgumentError(`${op}: the step must be an integer, got ${String(step)}.`);
  }
}

function checkTag(op: string, tag: string): void {
  if (typeof tag !== 'string' || tag === '') {
    throw new ArgumentError(`${op}: the tag must be a text that is not empty, got ${String(tag)}.`);
  }
}

function checkHparams(hparams: Readonly<Record<string, HParam>>): void {
  for (const [name, value] of Object.entries(hparams)) {
    if (!['number', 'string', 'boolean'].includes(typeof value)) {
      throw new ArgumentError(
        `addHparams: '${name}' is of type ${typeof value}; expected a number, a string or a boolean.`,
      );
    }
  }
}

/**
 * Writes scalars, histograms, images, text, graphs and hyperparameters to event files that TensorBoard shows:
 * `tensorboard --logdir runs`.
 *
 * Events wait in memory and are appended in batches, at the latest after `flushSecs`, with `flush`, with `close`, and when the
 * process ends. What a killed process has written stays readable. When the disk is full, a warning is printed once and nothing
 * more is written, so that a training goes on; `flush` throws then.
 *
 * Methods that read tensors give promises; the values are taken at the call.
 *
 * @example
 * const writer = new tensorboard.SummaryWriter('runs/first');
 * writer.addScalar('loss/train', 0.3, 1);
 * await writer.addHistogram('weight', model.at(1).weight, 1);
 * await writer.close();
 */
export class SummaryWriter {
  /** The folder of the event files. */
  readonly logDir: string;
  private readonly file: EventFile;
  private readonly options: { maxQueue: number; flushSecs: number; suffix: string };
  private readonly others = new Map<string, EventFile>();
  private readonly pending = new Set<Promise<void>>();

  /**
   * @param logDir the folder; by default one in `runs` named after the time and the machine. One folder is one run in
   *   TensorBoard
   * @throws FileError if the folder cannot be made or written; ArgumentError for options out of range
   */
  constructor(logDir?: string, options: SummaryWriterOptions = {}) {
    const { comment = '', maxQueue = 100, flushSecs = 120, filenameSuffix = '' } = options;
    if (logDir !== undefined && (typeof logDir !== 'string' || logDir === '')) {
      throw new ArgumentError(`SummaryWriter: logDir must be a folder's path, got ${String(logDir)}.`);
    }
    if (!Number.isInteger(maxQueue) || maxQueue < 0) {
      throw new ArgumentError(`SummaryWriter: maxQueue must be an integer of 0 or more, got ${String(maxQueue)}.`);
    }
    if (!(flushSecs > 0 && flushSecs <= 86_400)) {
      throw new ArgumentError(
        `SummaryWriter: flushSecs must be more than 0 and at most 86400, got ${String(flushSecs)}.`,
      );
    }
    if (/[/\\]/.test(filenameSuffix)) {
      throw new ArgumentError(`SummaryWriter: filenameSuffix must not have a slash, got '${filenameSuffix}'.`);
    }
    this.logDir = logDir ?? defaultFolder(comment);
    this.options = { maxQueue, flushSecs, suffix: filenameSuffix };
    this.file = new EventFile(this.logDir, this.options);
  }

  /** The path of the event file. */
  get path(): string {
    return this.file.path;
  }

  private add(values: readonly Fields[], step: number | undefined, { wallTime }: EventOptions, file = this.file): void {
    file.add(step ?? null, proto.summary(values), wallTime);
  }

  // close() waits for what was begun, whether or not the caller did.
  private track(work: Promise<void>): Promise<void> {
    const done = work.finally(() => this.pending.delete(done));
    this.pending.add(done);
    return done;
  }

  private other(folder: string): EventFile {
    let file = this.others.get(folder);
    if (file === undefined) this.others.set(folder, (file = new EventFile(folder, this.options)));
    return file;
  }

  /**
   * A number at a step.
   *
   * @param tag its name; what stands before the first slash groups charts
   * @param value a number, or a tensor of one element, whose reading waits for queued work
   */
  addScalar(tag: string, value: number | Tensor, step?: number, options: EventOptions = {}): void {
    checkTag('addScalar', tag);
    checkStep('addScalar', step);
    this.add([proto.scalarValue(tag, this.numberOf('addScalar', value))], step, options);
  }

  private numberOf(op: string, value: number | Tensor): number {
    const number = isTensor(value) ? Number(value.itemSync()) : value;
    if (typeof number !== 'number') {
      throw new ArgumentError(`${op}: the value must be a number or a tensor, got ${typeof number}.`);
    }
    return number;
  }

  /**
   * Several numbers in one chart: each becomes a run of its own, in a folder beside the event file named after both tags.
   *
   * @example
   * writer.addScalars('loss', { train: 0.3, validation: 0.4 }, epoch);
   */
  addScalars(
    mainTag: string,
    values: Readonly<Record<string, number | Tensor>>,
    step?: number,
    options: EventOptions = {},
  ): void {
    checkTag('addScalars', mainTag);
    checkStep('addScalars', step);
    for (const [tag, value] of Object.entries(values)) {
      const number = this.numberOf('addScalars', value);
      const folder = `${mainTag}_${tag}`.replace(/[^\w.-]/g, '_');
      this.add([proto.scalarValue(mainTag, number)], step, options, this.other(join(this.logDir, folder)));
    }
  }

  /**
   * How the values of a tensor are spread, in buckets that grow by a tenth. Values that are not finite are left out.
   *
   * @example
   * for (const [name, p] of model.namedParameters()) await writer.addHistogram(name, p, epoch);
   */
  async addHistogram(tag: string, values: Tensor, step?: number, options: EventOptions = {}): Promise<void> {
    checkTag('addHistogram', tag);
    checkStep('addHistogram', step);
    checkTensor('addHistogram', 'values', values);
    const read = histogramOf(values);
    await this.track(read.then((histogram) => this.add([proto.histogramValue(tag, histogram)], step, options)));
  }

  /**
   * An image.
   *
   * @param image of 1 (grey), 3 (RGB) or 4 (RGB, alpha) channels; uint8 from 0 to 255, or floats from 0 to 1
   * @throws ShapeError or DTypeError for what is no image
   */
  async addImage(tag: string, image: Tensor, step?: number, options: ImageOptions = {}): Promise<void> {
    checkTag('addImage', tag);
    checkStep('addImage', step);
    const read = toPixels('addImage', image, options.layout);
    await this.track(
      read.then(async (pixels) => {
        const { width, height, channels } = pixels;
        this.add([proto.imageValue(tag, await pngOf(pixels), width, height, channels)], step, options);
      }),
    );
  }

  /** Several images of one size as a grid. */
  async addImages(tag: string, images: Tensor, step?: number, options: ImagesOptions = {}): Promise<void> {
    checkTensor('addImages', 'images', images);
    const { layout = 'NCHW', columns = 8, ...others } = options;
    if (layout !== 'NCHW' && layout !== 'NHWC') {
      throw new ArgumentError(`addImages: layout must be 'NCHW' or 'NHWC', got '${String(layout)}'.`);
    }
    if (images.ndim !== 4) {
      throw new ShapeError(`addImages: images must have 4 dimensions, got shape ${formatShape(images.shape)}.`);
    }
    const batch = noGrad(() => (layout === 'NHWC' ? images.detach().permute([0, 3, 1, 2]) : images.detach()));
    const grid = imageGrid(batch, { columns });
    try {
      await this.addImage(tag, grid, step, others);
    } finally {
      grid.dispose();
    }
  }

  /** Text, read as Markdown. */
  addText(tag: string, text: string, step?: number, options: EventOptions = {}): void {
    checkTag('addText', tag);
    checkStep('addText', step);
    if (typeof text !== 'string') throw new ArgumentError(`addText: the text is of type ${typeof text}.`);
    this.add([proto.textValue(`${tag}/text_summary`, text)], step, options);
  }

  /**
   * A precision-recall curve.
   *
   * @param labels 0 or 1 (or bool), any shape
   * @param predictions probabilities from 0 to 1, as many
   */
  async addPrCurve(
    tag: string,
    labels: Tensor,
    predictions: Tensor,
    step?: number,
    options: PrCurveOptions = {},
  ): Promise<void> {
    checkTag('addPrCurve', tag);
    checkStep('addPrCurve', step);
    const { numThresholds = 127 } = options;
    const read = prCurve(labels, predictions, numThresholds);
    await this.track(
      read.then((values) => {
        const content = proto.prCurveContent(numThresholds);
        this.add([proto.floatsValue(tag, 'pr_curves', content, [6, numThresholds], values)], step, options);
      }),
    );
  }

  /**
   * The graph of a model: modules are boxes that open, with operations and parameters inside. The model runs once, in evaluation
   * mode, and is left as it was.
   *
   * @param input what `forward` is given: a tensor, or a list of its arguments
   * @throws what `forward` throws
   */
  addGraph(model: AnyModule, input: Tensor | readonly unknown[]): void {
    if (!((model as unknown) instanceof Module)) {
      throw new ArgumentError(`addGraph: the model is of type ${typeof model}, expected a Module.`);
    }
    this.file.add(null, proto.graph(graphOf(model, isTensor(input) ? [input] : input)));
  }

  /**
   * The hyperparameters of a run and what came out, for TensorBoard's table of them. They form a run of their own, in a folder
   * inside the writer's.
   *
   * @param hparams numbers, strings and booleans by name
   * @param metrics numbers by tag
   * @example
   * writer.addHparams({ lr: 0.1, optimizer: 'SGD' }, { 'hparam/accuracy': 0.98 });
   */
  addHparams(
    hparams: Readonly<Record<string, HParam>>,
    metrics: Readonly<Record<string, number>>,
    options: HparamsOptions = {},
  ): void {
    checkHparams(hparams);
    const { runName = (Date.now() / 1000).toFixed(3) } = options;
    if (/[/\\]|^\.\.?$/.test(runName) || runName === '') {
      throw new ArgumentError(`addHparams: runName must be the name of a folder, got '${runName}'.`);
    }
    for (const [tag, value] of Object.entries(metrics)) this.numberOf(`addHparams: ${tag}`, value);
    const file = new EventFile(join(this.logDir, runName), this.options);
    try {
      writeHparams(file, hparams, Object.keys(metrics));
      this.add(
        Object.entries(metrics).map(([tag, value]) => proto.scalarValue(tag, value)),
        0,
        {},
        file,
      );
      finishHparams(file, 'success');
    } finally {
      file.close();
    }
  }

  /** Says which hyperparameters this run has, and which of its scalars are what came out; `endHparams` follows. @internal */
  startHparams(hparams: Readonly<Record<string, HParam>>, metrics: readonly string[]): void {
    checkHparams(hparams);
    writeHparams(this.file, hparams, metrics);
  }

  /** @internal */
  endHparams(status: 'success' | 'failure'): void {
    finishHparams(this.file, status);
  }

  /**
   * Vectors with labels or pictures, for TensorBoard's projector.
   *
   * @param vectors `[count, dimensions]`
   */
  async addEmbedding(vectors: Tensor, options: EmbeddingOptions = {}): Promise<void> {
    await this.track(writeEmbedding(this.logDir, vectors, options));
  }

  /**
   * Waits for what was begun, and writes what waits in memory.
   *
   * @throws FileError if it could not be written
   */
  async flush(): Promise<void> {
    await Promise.allSettled(this.pending);
    for (const file of [this.file, ...this.others.values()]) file.flush();
  }

  /** Waits for what was begun, writes it and closes the files. Harmless a second time. */
  async close(): Promise<void> {
    await Promise.allSettled(this.pending);
    for (const file of [this.file, ...this.others.values()]) file.close();
  }

  /** Called at the end of the scope of `await using writer = ...`: `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function writeHparams(file: EventFile, hparams: Readonly<Record<string, HParam>>, metrics: readonly string[]): void {
  const time = Date.now() / 1000;
  file.add(null, proto.summary([proto.hparamsExperiment(hparams, metrics, time)]));
  file.add(null, proto.summary([proto.hparamsStart(hparams, '', time)]));
}

function finishHparams(file: EventFile, status: 'success' | 'failure'): void {
  file.add(null, proto.summary([proto.hparamsEnd(status, Date.now() / 1000)]));
}
