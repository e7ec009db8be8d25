// A stack of transformer blocks that predicts the next character.
import { arange, gelu, nn, randint, type Tensor } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const [layers, width, heads, length, characters] = [6, 384, 6, 256, 65] as const;

class Block extends nn.Module {
  readonly norm1 = new nn.LayerNorm(width);
  readonly qkv = new nn.Linear(width, 3 * width);
  readonly project = new nn.Linear(width, width);
  readonly norm2 = new nn.LayerNorm(width);
  readonly up = new nn.Linear(width, 4 * width);
  readonly down = new nn.Linear(4 * width, width);

  override forward(x: Tensor): Tensor {
    const [batch, time] = x.shape;
    const split = this.qkv.forward(this.norm1.forward(x)).reshape([batch, time, 3, heads, width / heads]);
    const [q, k, v] = [0, 1, 2].map((i) => split.select(2, i).transpose(1, 2));
    const attended = nn.functional.scaledDotProductAttention(q, k, v, { isCausal: true });
    const h = x.add(this.project.forward(attended.transpose(1, 2).reshape([batch, time, width])));
    return h.add(this.down.forward(gelu(this.up.forward(this.norm2.forward(h)))));
  }
}

class GPT extends nn.Module {
  readonly tokens = new nn.Embedding(characters, width);
  readonly positions = new nn.Embedding(length, width);
  readonly blocks = Array.from({ length: layers }, () => new Block());
  readonly norm = new nn.LayerNorm(width);
  readonly output = new nn.Linear(width, characters);

  override forward(ids: Tensor): Tensor {
    let x: Tensor = this.tokens.forward(ids).add(this.positions.forward(arange(ids.shape[1])));
    for (const block of this.blocks) x = block.forward(x);
    return this.output.forward(this.norm.forward(x));
  }
}

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
    const model = new GPT();
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
