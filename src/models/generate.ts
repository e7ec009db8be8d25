// Continuing sequences token by token.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import { div, sub } from '../ops/arithmetic.js';
import { gt, lt } from '../ops/compare.js';
import { fromTypedArray } from '../ops/creation.js';
import { gather } from '../ops/indexing.js';
import { cat } from '../ops/join.js';
import { maskedFill } from '../ops/mask.js';
import type { Generator } from '../ops/random.js';
import { argmax } from '../ops/reduce.js';
import { multinomial } from '../ops/sampling.js';
import { cumsum } from '../ops/scan.js';
import { softmax } from '../ops/softmax.js';
import { sort, topk } from '../ops/sort.js';
import { narrow, reshape } from '../ops/view.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPositive, checkSequences } from './common.js';
import type { KeyValueCache } from './keyValueCache.js';

/** How the next token is chosen from logits. */
export interface SamplingChoice {
  /** Logits are divided by this; 0 takes the most likely token. Default 1. */
  temperature?: number;
  /** Only so many of the most likely tokens. Default: all. */
  topK?: number;
  /** Only the most likely tokens that together have this probability (Holtzman et al. 2020), from above 0 to 1. Default 1. */
  topP?: number;
  /** The source of the draws. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** Options of `GPT.generate`. */
export interface GenerateOptions extends SamplingChoice {
  /** How many tokens are added. Default 100. */
  maxNewTokens?: number;
  /** A sequence ends with this token. Default: none does. */
  endToken?: number;
}

/** What can continue sequences. @internal */
export interface Continuable {
  readonly contextLength: number;
  newCache(batch: number): KeyValueCache;
  _next(ids: Tensor, cache: KeyValueCache): Tensor;
}

function checkChoice({ temperature = 1, topK, topP = 1 }: SamplingChoice): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new ArgumentError(`generate: temperature must be a number from 0, got ${String(temperature)}.`);
  if (topK !== undefined) checkPositive('generate', { topK });
  if (!(topP > 0 && topP <= 1))
    throw new ArgumentError(`generate: topP must be above 0 and at most 1, got ${String(topP)}.`);
}

/**
 * Tokens drawn from logits: `[N, V] -> [N]`, int64.
 *
 * @throws ArgumentError for options out of range
 * @example
 * models.sampleLogits(tensor([[1, 5, 2]]), { temperature: 0 }); // [1]
 */
export function sampleLogits(logits: Tensor, options: SamplingChoice = {}): Tensor<Shape, 'int64'> {
  checkChoice(options);
  const { temperature = 1, topK, topP = 1, generator } = options;
  return noGrad(() =>
    tidy((): Tensor<Shape, 'int64'> => {
      if (temperature === 0) return argmax(logits, 1);
      const size = logits.shape[1];
      let scores: Tensor = div(logits, temperature);
      if (topK !== undefined && topK < size) {
        const least = narrow(topk<Shape, 'float32', number>(scores as never, topK).values as Tensor, 1, topK - 1, 1);
        scores = maskedFill<Shape, 'float32', Shape>(scores as never, lt(scores, least), -Infinity);
      }
      const random = generator === undefined ? {} : { generator };
      if (topP === 1) return reshape(multinomial(softmax(scores, 1), 1, random), [-1] as Shape);
      // In order of probability, those stay in front of which less than topP lies.
      const { values, indices } = sort(scores, 1, { descending: true });
      const p: Tensor = softmax<Shape, DType, 1>(values, 1);
      const before = sub(cumsum<Shape, DType, 1, DType>(p, 1), p);
      const kept = maskedFill<Shape, 'float32', Shape>(p as never, gt(before, topP), 0);
      const place = multinomial(kept, 1, random);
      return reshape(gather(indices, 1, place), [-1] as Shape);
    }),
  );
}

/** The tokens one after the other, of all sequences at a time. @internal */
export async function* generateTokens(
  model: Continuable,
  ids: Tensor,
  options: GenerateOptions,
): AsyncGenerator<number[]> {
  checkSequences('generate', ids);
  checkChoice(options);
  const { maxNewTokens = 100, endToken } = options;
  checkPositive('generate', { maxNewTokens });
  const { contextLength } = model;
  const [batch, length] = ids.shape;
  const cache = model.newCache(batch);
  const ended = new Array<boolean>(batch).fill(false);
  // The newest tokens that the model has seen or is about to see, by column.
  const start = Math.max(0, length - contextLength);
  let window: Tensor = noGrad(() =>
    narrow(ids, 1, start, length - start)
      .clone()
      .to('int64'),
  );
  let unseen = window.shape[1];
  try {
    for (let made = 0; made < maxNewTokens; made++) {
      const token = noGrad(() =>
        tidy(() => {
          if (cache.length + unseen > contextLength) {
            cache.clear();
            unseen = Math.min(window.shape[1], Math.ceil(contextLength / 2));
          }
          const fresh = narrow(window, 1, window.shape[1] - unseen, unseen);
          return sampleLogits(model._next(fresh, cache), options);
        }),
      );
      const numbers = Array.from(await token.data(), Number);
      token.dispose();
      const given = numbers.map((number, i) => {
        const result = ended[i] && endToken !== undefined ? endToken : number;
        ended[i] ||= result === endToken;
        return result;
      });
      yield given;
      if (ended.every(Boolean)) return;
      const before = window;
      window = noGrad(() =>
        tidy(() => {
          const column = fromTypedArray(BigInt64Array.from(given, BigInt), [batch, 1], { device: ids.device });
          const kept = Math.min(before.shape[1], contextLength - 1);
          return cat([narrow(before, 1, before.shape[1] - kept, kept), column as Tensor], 1);
        }),
      );
      before.dispose();
      unseen = 1;
    }
  } finally {
    window.dispose();
    cache.dispose();
  }
}

/** All of it at once. @internal */
export async function generate(
  model: Continuable,
  ids: Tensor,
  options: GenerateOptions,
): Promise<Tensor<Shape, 'int64'>> {
  const columns: number[][] = [];
  for await (const numbers of generateTokens(model, ids, options)) columns.push(numbers);
  const batch = ids.shape[0];
  const added = BigInt64Array.from({ length: batch * columns.length }, (_, i) =>
    BigInt(columns[i % columns.length][Math.floor(i / columns.length)]),
  );
  return tidy(() => {
    const fresh = fromTypedArray(added, [batch, columns.length] as Shape, { device: ids.device });
    return cat([ids.to('int64') as Tensor, fresh as Tensor], 1) as Tensor<Shape, 'int64'>;
  });
}
