// Beam search over a decoder's tokens.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import type { Lengths } from '../nn/utils/rnn.js';
import { add } from '../ops/arithmetic.js';
import { where } from '../ops/compare.js';
import { fromTypedArray } from '../ops/creation.js';
import { indexSelect } from '../ops/indexing.js';
import { logSoftmax } from '../ops/softmax.js';
import { topk } from '../ops/sort.js';
import { reshape, select } from '../ops/view.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPositive } from './common.js';
import type { Decoded, Memory } from './seq2seqDecoders.js';

/** Options of `Seq2Seq.translate`. */
export interface TranslateOptions {
  /** Of the sources, where they are padded behind. */
  sourceLengths?: Lengths;
  /** How many sequences are kept at each step. 1 (default): the most likely token, always. */
  beamSize?: number;
  /** The most tokens that are written. Default 50. */
  maxLength?: number;
  /**
   * Sequences are ranked by their log probability divided by `((5 + length) / 6) ** lengthPenalty` (Wu et al. 2016). 0
   * (default): by the probability alone, which favours short ones.
   */
  lengthPenalty?: number;
}

/** A sequence that was found. @internal */
export interface Found {
  /** Without the first and the last token. */
  readonly tokens: number[];
  /** The log probability of all of its tokens, the last one among them. */
  readonly logProbability: number;
}

/** What is searched. @internal */
export interface Searchable {
  readonly targetVocab: number;
  readonly startToken: number;
  readonly endToken: number;
  readonly decoder: { run(tokens: Tensor, state: Tensor, memory: Memory): Decoded };
  encode(source: Tensor, lengths?: Lengths): { memory: Memory; state: Tensor };
}

interface Beam {
  readonly tokens: number[];
  readonly score: number;
  readonly ended: boolean;
}

/** The best sequence for each source. @internal */
export async function beamSearch(model: Searchable, source: Tensor, options: TranslateOptions): Promise<Found[]> {
  const { sourceLengths, beamSize = 1, maxLength = 50, lengthPenalty = 0 } = options;
  checkPositive('translate', { beamSize, maxLength });
  if (!(lengthPenalty >= 0))
    throw new ArgumentError(`translate: lengthPenalty must be a number from 0, got ${String(lengthPenalty)}.`);
  const batch = source.shape[0];
  const { targetVocab, startToken, endToken } = model;
  // Each source's rows lie side by side; of the first step only one of them counts.
  let beams: Beam[] = Array.from({ length: batch * beamSize }, (_, row) => ({
    tokens: [],
    score: row % beamSize === 0 ? 0 : -Infinity,
    ended: false,
  }));
  const { device } = source;
  const integers = (values: readonly number[], shape: Shape): Tensor =>
    fromTypedArray(BigInt64Array.from(values, BigInt), shape, { device });
  const kept: Tensor[] = [];
  const { memory, state: first } = noGrad(() =>
    tidy(() => {
      const encoded = model.encode(source, sourceLengths);
      const rows = integers(
        beams.map((_, row) => Math.floor(row / beamSize)),
        [beams.length],
      );
      const spread = (x: Tensor): Tensor => indexSelect(x, 0, rows as never);
      const { states, keys, mask } = encoded.memory;
      return {
        memory: { states: spread(states), keys: spread(keys), mask: mask === null ? null : spread(mask) },
        state: spread(encoded.state),
      };
    }),
  );
  kept.push(memory.states, memory.keys, ...(memory.mask === null ? [] : [memory.mask]));
  let state = first;
  try {
    for (let step = 0; step < maxLength && !beams.every(({ ended }) => ended); step++) {
      const before = state;
      const current = beams;
      const found = noGrad(() =>
        tidy(() => {
          const last = current.map(({ tokens }) => tokens.at(-1) ?? startToken);
          const decoded = model.decoder.run(integers(last, [last.length, 1]), before, memory);
          const next = rank(decoded.logits, current, beamSize, targetVocab, endToken);
          return { ...next, state: decoded.state };
        }),
      );
      const [scores, places] = await Promise.all([found.values.data(), found.indices.data()]);
      const parents: number[] = [];
      beams = Array.from(scores as Float32Array, (score, row): Beam => {
        const parent = Math.floor(row / beamSize) * beamSize + Math.floor(Number(places[row]) / targetVocab);
        const token = Number(places[row]) % targetVocab;
        parents.push(parent);
        const { tokens, ended } = current[parent];
        if (ended) return { ...current[parent], score };
        return { tokens: [...tokens, token], score, ended: token === endToken };
      });
      state = noGrad(() =>
        tidy((): Tensor => indexSelect(found.state, 0, integers(parents, [parents.length]) as never)),
      );
      for (const tensor of [before, found.values, found.indices, found.state]) tensor.dispose();
    }
  } finally {
    for (const tensor of [...kept, state]) tensor.dispose();
  }
  const ranked = ({ score, tokens }: Beam): number => score / ((5 + tokens.length) / 6) ** lengthPenalty;
  return Array.from({ length: batch }, (_, i) => {
    const [best] = beams.slice(i * beamSize, (i + 1) * beamSize).sort((a, b) => ranked(b) - ranked(a));
    return { tokens: best.ended ? best.tokens.slice(0, -1) : best.tokens, logProbability: best.score };
  });
}

/** Of all continuations of each source's sequences the best: scores, and places in `[beamSize * targetVocab]`. */
function rank(
  logits: Tensor,
  beams: readonly Beam[],
  beamSize: number,
  targetVocab: number,
  endToken: number,
): { values: Tensor; indices: Tensor } {
  const { device } = logits;
  const rows = beams.length;
  const steps: Tensor = logSoftmax(select(logits, 1, 0), 1).to('float32');
  // One that has ended goes on with its last token, at no cost.
  const still = Float32Array.from({ length: targetVocab }, (_, token) => (token === endToken ? 0 : -Infinity));
  const ended = Uint8Array.from(beams, (beam) => Number(beam.ended));
  const stays = fromTypedArray(ended, [rows, 1], { dtype: 'bool', device });
  const continued = where(stays, fromTypedArray(still, [1, targetVocab], { device }), steps);
  const scores = fromTypedArray(
    Float32Array.from(beams, ({ score }) => score),
    [rows, 1],
    { device },
  );
  const all = reshape(add(continued, scores) as Tensor, [rows / beamSize, beamSize * targetVocab] as Shape);
  const { values, indices } = topk<Shape, DType, number>(all, beamSize);
  return { values: reshape(values, [-1] as Shape), indices: reshape(indices as Tensor, [-1] as Shape) };
}
