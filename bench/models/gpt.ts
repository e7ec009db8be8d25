// A stack of transformer blocks that predicts the next character.
import { models, nn, randint } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const [layers, width, heads, length, characters] = [6, 384, 6, 256, 65] as const;

const forward = (batch: number): number =>
  layers * (12 * flops.linear(batch * length, width, width) + flops.causalAttention(batch, length, width)) +
  flops.linear(batch * length, width, characters);

export const gpt: Model = {
  name: 'gpt',
  what: `${layers} transformer blocks, ${width} wide, ${heads} heads, ${length} characters`,
  batches: [8],
  slow: true,
  parameters:
    (characters + length) * width +
    layers * (12 * width ** 2 + 9 * width + 4 * width) +
    2 * width +
    width * characters +
    characters,
  trainFlops: (batch) => 3 * forward(batch),
  inferFlops: forward(1),
  make(batch) {
    // With a head of its own and no dropout, unlike GPT-2.
    const model = new models.GPT({
      vocabSize: characters,
      contextLength: length,
      width,
      numLayers: layers,
      numHeads: heads,
      dropout: 0,
      activation: 'gelu',
      tieWeights: false,
      headBias: true,
    });
    const ids = randint(0, characters, [batch, length]);
    const next = randint(0, characters, [batch * length]);
    const one = randint(0, characters, [1, length]);
    return {
      model,
      train: withAdam(model, () =>
        nn.functional.crossEntropy(model.forward(ids).reshape([batch * length, characters]), next),
      ),
      infer: () => model.forward(one),
    };
  },
};
