// Steps of trainings as users write them, small: float32, and mixed precision with its scaled loss.
import { amp, models, nn, optim, rand, randint, randn, type FloatDType, type Tensor } from 'thalweg';

const device = 'cuda';
const F = nn.functional;

interface Model {
  forward(inputs: Tensor): unknown;
  parameters(): Tensor[];
  train(): unknown;
}
interface Training {
  readonly model: Model;
  readonly loss: () => Tensor;
}

const tokens = (rows: number, length: number): Tensor => randint(0, 12, [rows, length], { device });

/** A classifier of images or features. */
function classifier(model: Model, inputs: Tensor): Training {
  const labels = randint(0, 4, [inputs.shape[0]], { device });
  return { model, loss: () => F.crossEntropy(model.forward(inputs) as Tensor, labels) };
}

const makers: Readonly<Record<string, () => Training>> = {
  mlp: () => classifier(new models.MLP(6, 4, { hidden: [8, 8], dropout: 0.1, device }), randn([6, 6], { device })),
  cnn: () => classifier(new models.LeNet({ numClasses: 4, device }), randn([2, 1, 28, 28], { device })),
  resnet() {
    const model = new models.ResNet(models.BasicBlock, [1, 1, 1, 1], {
      numClasses: 4,
      width: 4,
      stem: 'cifar',
      device,
    });
    return classifier(model, randn([2, 3, 8, 8], { device }));
  },
  vit() {
    const sizes = { imageSize: 8, patchSize: 4, numLayers: 1, numHeads: 2, hiddenDim: 8, mlpDim: 16 };
    return classifier(new models.ViT({ ...sizes, numClasses: 4, device }), randn([2, 3, 8, 8], { device }));
  },
  lstm() {
    const sizes = { vocabSize: 12, embeddingDim: 6, hiddenSize: 5, numClasses: 4 };
    return classifier(new models.LSTMClassifier({ ...sizes, device }), tokens(3, 5));
  },
  transformer() {
    const sizes = { vocabSize: 12, dModel: 8, numHeads: 2, numLayers: 1, dimFeedforward: 12, maxLength: 8 };
    return classifier(new models.TransformerClassifier({ ...sizes, numClasses: 4, device }), tokens(3, 6));
  },
  gpt() {
    const model = new models.GPT({ vocabSize: 12, contextLength: 8, width: 8, numLayers: 2, numHeads: 2, device });
    const ids = tokens(2, 7);
    return { model, loss: () => model.loss(ids) };
  },
  autoencoder() {
    const model = new nn.Sequential(new nn.Linear(6, 4), new nn.GELU(), new nn.Linear(4, 6)).to(device);
    const x = randn([5, 6], { device });
    return { model, loss: () => F.mseLoss(model.forward(x), x) };
  },
  vae() {
    const model = new models.VAE({ inputSize: 6, latentSize: 2, hidden: [8], device });
    const x = rand([5, 6], { device });
    return {
      model,
      loss() {
        const [reconstruction, mean, logVariance] = model.forward(x);
        return models.vaeLoss(reconstruction, x, mean, logVariance);
      },
    };
  },
};

/** Two steps with a schedule and clipped gradients. */
function train({ model, loss }: Training, dtype: FloatDType): void {
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
  const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, 10);
  const mixed = dtype === 'bfloat16' || dtype === 'float16';
  const scaler = new amp.GradScaler({ enabled: dtype === 'float16' });
  model.train();
  for (let i = 0; i < 2; i++) {
    optimizer.zeroGrad();
    const value = mixed ? amp.autocast({ dtype }, loss) : loss();
    scaler.scale(value).backward();
    scaler.unscale_(optimizer);
    nn.utils.clipGradNorm(model.parameters(), 1);
    scaler.step(optimizer);
    scaler.update();
    schedule.step();
  }
  // And the numbers that a loop shows.
  loss().detach().itemSync();
}

/** By name: what trains it for two steps. */
export const trainings: Readonly<Record<string, () => void>> = Object.fromEntries(
  Object.entries(makers).flatMap(([name, make]) =>
    (['float32', 'bfloat16', 'float16'] as const).map((dtype) => [`${name} in ${dtype}`, () => train(make(), dtype)]),
  ),
);
