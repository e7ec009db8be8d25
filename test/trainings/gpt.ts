// A small transformer that learns to continue a text. The output layer shares its weight with the embedding of tokens.
import { arange, nn, optim, type Tensor } from 'thalweg';
import { integers, type MakeTraining } from './training.js';

class Block extends nn.Module {
  readonly norm1: nn.LayerNorm;
  readonly attention: nn.MultiheadAttention;
  readonly norm2: nn.LayerNorm;
  readonly mlp;

  constructor(width: number, heads: number) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.attention = new nn.MultiheadAttention(width, heads, { batchFirst: true });
    this.norm2 = new nn.LayerNorm(width);
    this.mlp = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width));
  }

  override forward(x: Tensor): Tensor {
    const h = this.norm1.forward(x);
    const [attended] = this.attention.forward(h, h, h, { isCausal: true, needWeights: false });
    const y = x.add(attended);
    return y.add(this.mlp.forward(this.norm2.forward(y)));
  }
}

export class GPT extends nn.Module {
  readonly tokens = new nn.Embedding(16, 32);
  readonly positions = new nn.Embedding(12, 32);
  readonly blocks = [new Block(32, 4), new Block(32, 4)];
  readonly norm = new nn.LayerNorm(32);

  /** `[batch, length]` tokens to `[batch, length, 16]` scores of the token that follows each. */
  override forward(ids: Tensor): Tensor {
    let x: Tensor = this.tokens.forward(ids).add(this.positions.forward(arange(ids.shape[1])));
    for (const block of this.blocks) x = block.forward(x);
    return nn.functional.linear(this.norm.forward(x), this.tokens.weight);
  }
}

export const gpt: MakeTraining = (dtype) => {
  const model = new GPT().to(dtype);
  const text = integers(80, 16, [4, 13]);
  const inputs = text.narrow(1, 0, 12);
  const targets = text.narrow(1, 1, 12).flatten();
  const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-3, betas: [0.9, 0.95], weightDecay: 0.1 });
  const { SequentialLR, LinearLR, CosineAnnealingLR } = optim.lrScheduler;
  const warmUp = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
  const schedule = new SequentialLR(optimizer, [warmUp, new CosineAnnealingLR(optimizer, 15)], [5]);
  return {
    model,
    step() {
      const loss = nn.functional.crossEntropy(model.forward(inputs).reshape([-1, 16]), targets);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      schedule.step();
      return loss;
    },
  };
};
