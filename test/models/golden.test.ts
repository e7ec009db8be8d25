// Small models give what PyTorch gives from the same weights, and their gradients have the same norms (test/golden/models.py).
import { describe, expect, test } from 'vitest';
import type { nn } from 'thalweg';
import { models, noGrad, type FloatDType, type Tensor } from 'thalweg';
import { expectClose, readGoldens } from '../golden.js';
import { initialState, integers, values } from '../trainings/training.js';
import './data.js';

interface Golden {
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly output: readonly number[];
  readonly norms: readonly number[];
}

interface Case {
  readonly model: nn.Module<never>;
  readonly run: () => unknown;
}

const goldens = readGoldens<Readonly<Record<string, Golden>>>('models.json');
const [plain, small] = [{ dropout: 0 }, { vocabSize: 20, embeddingDim: 6, hiddenSize: 5, numLayers: 2, numClasses: 3 }];

function seq2seq(attention: 'bahdanau' | 'luong', dtype: FloatDType): Case {
  const sizes = { sourceVocab: 11, targetVocab: 9, embeddingDim: 6, hiddenSize: 5 };
  const model = new models.Seq2Seq({ ...sizes, attention, dtype });
  const sourceLengths = [6, 2, 4];
  return of(model, () => model.forward(integers(909, 11, [3, 6]), integers(910, 9, [3, 5]), { sourceLengths }));
}

const of = (model: unknown, run: () => unknown): Case => ({ model: model as nn.Module<never>, run });

const cases: Readonly<Record<string, (dtype: FloatDType) => Case>> = {
  lenet(dtype) {
    const model = new models.LeNet({ dtype });
    return of(model, () => model.forward(values(901, [3, 1, 28, 28], dtype)));
  },
  vgg(dtype) {
    const config = [8, 'M', 12, 12, 'M'] as const;
    const model = new models.VGG(config, { ...plain, numClasses: 5, batchNorm: true, hidden: 20, poolSize: 2, dtype });
    return of(model, () => model.forward(values(902, [3, 3, 16, 16], dtype)));
  },
  resnet_basic(dtype) {
    const model = new models.ResNet(models.BasicBlock, [2, 1, 1, 1], { numClasses: 5, width: 4, stem: 'cifar', dtype });
    return of(model, () => model.forward(values(903, [4, 3, 32, 32], dtype)));
  },
  resnet_bottleneck(dtype) {
    const model = new models.ResNet(models.Bottleneck, [1, 2, 1, 1], { numClasses: 5, width: 4, dtype });
    return of(model, () => model.forward(values(903, [4, 3, 32, 32], dtype)));
  },
  mobilenet(dtype) {
    const model = new models.MobileNetV2({ ...plain, numClasses: 5, widthMult: 0.1, dtype });
    return of(model, () => model.forward(values(904, [4, 3, 64, 64], dtype)));
  },
  vit(dtype) {
    const sizes = { imageSize: 16, patchSize: 4, numLayers: 2, numHeads: 4, hiddenDim: 16, mlpDim: 24 };
    const model = new models.ViT({ ...sizes, numClasses: 5, dtype });
    return of(model, () => model.forward(values(905, [3, 3, 16, 16], dtype)));
  },
  rnn_classifier(dtype) {
    const model = new models.RNNClassifier({ ...small, dtype });
    return of(model, () => model.forward(integers(906, 20, [4, 7])));
  },
  lstm_classifier(dtype) {
    const model = new models.LSTMClassifier({ ...small, bidirectional: true, dtype });
    return of(model, () => model.forward(integers(906, 20, [4, 7]), [7, 2, 5, 1]));
  },
  gru_classifier(dtype) {
    const model = new models.GRUClassifier({ ...small, dtype });
    return of(model, () => model.forward(integers(906, 20, [4, 7]), [3, 7, 1, 6]));
  },
  transformer_classifier(dtype) {
    const sizes = { vocabSize: 20, dModel: 8, numHeads: 2, numLayers: 2, dimFeedforward: 12, maxLength: 10 };
    const kinds = { pool: 'cls', positions: 'learned' } as const;
    const model = new models.TransformerClassifier({ ...sizes, ...kinds, ...plain, numClasses: 3, dtype });
    return of(model, () => model.forward(integers(907, 20, [4, 7]), [7, 2, 5, 1]));
  },
  gpt(dtype) {
    const sizes = { vocabSize: 13, contextLength: 9, width: 16, numLayers: 2, numHeads: 4 };
    const model = new models.GPT({ ...sizes, ...plain, dtype });
    return of(model, () => model.forward(integers(908, 13, [2, 9])));
  },
  seq2seq_bahdanau: (dtype) => seq2seq('bahdanau', dtype),
  seq2seq_luong: (dtype) => seq2seq('luong', dtype),
  conv_vae(dtype) {
    const model = new models.ConvVAE({ imageSize: 8, channels: [3, 4], latentSize: 3, dtype });
    return of(model, () => model.forward(values(911, [2, 1, 8, 8], dtype), values(912, [2, 3], dtype))[0]);
  },
  dcgan(dtype) {
    const model = new models.DCGAN({ imageSize: 28, channels: 1, latentSize: 6, baseChannels: 4, dtype });
    return of(model, () => model.discriminator.forward(model.forward(values(913, [5, 6], dtype))));
  },
  wgan_penalty(dtype) {
    const critic = new models.WGANCritic({ imageSize: 28, channels: 1, baseChannels: 4, norm: 'layer', dtype });
    const [real, fake] = [values(914, [3, 1, 28, 28], dtype), values(915, [3, 1, 28, 28], dtype)];
    const mix = values(916, [3, 1, 1, 1], dtype).mul(0.5).add(0.5);
    return of(critic, () => models.gradientPenalty((x) => critic.forward(x), real, fake, { mix }).penalty.reshape([1]));
  },
};

test('every golden has its model', () => {
  expect(Object.keys(cases)).toEqual(Object.keys(goldens));
});

describe.each(Object.keys(cases))('%s', (name) => {
  const { state, output, norms } = goldens[name];

  test("has PyTorch's names and shapes", () => {
    const shapes = Array.from(cases[name]('float32').model.stateDict(), ([key, { shape }]) => [key, [...shape]]);
    expect(shapes).toEqual(Object.entries(state));
  });

  // The norms of gradients are sums of many terms, so float32 keeps fewer of their digits.
  test.each([
    ['float64', 1e-8, 1e-8],
    ['float32', 2e-4, 2e-3],
  ] as const)('gives what PyTorch gives in %s', (dtype, ofOutput, ofNorms) => {
    const { model, run } = cases[name](dtype);
    model.loadStateDict(initialState(model, Object.keys(state)));
    const y = run() as Tensor;
    y.mul(values(900, y.shape, dtype))
      .sum()
      .backward();
    const numbers = (x: Tensor): number[] => Array.from(x.dataSync(), Number);
    expectClose('output', numbers(y.flatten()), output, { relative: ofOutput, floor: 0.1 });
    const found = model.parameters().map(({ grad }) => {
      return grad === null ? 0 : noGrad(() => Number(grad.square().sum().sqrt().itemSync()));
    });
    expectClose('norms of gradients', found, norms, { relative: ofNorms });
  });
});
