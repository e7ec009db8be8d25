// The namespace `models.recipes`: how each model is trained. Sources are named; what was changed is said.
import { defineRecipe } from './recipe.js';

export type { OptimizerRecipe, PreparedRecipe, Recipe, RecipeData, ScheduleRecipe } from './recipe.js';

/**
 * `MLP` on MNIST.
 *
 * @example
 * const model = new models.MLP(784, 10, models.recipes.mlp.model);
 * const { optimizer, schedule, batchSize } = models.recipes.mlp(model, { steps: 4690 });
 */
export const mlp = defineRecipe({
  source: 'Srivastava et al. 2014, "Dropout", section 6.1.1: dropout on MNIST',
  adapted:
    'One hidden layer of 512 instead of three of 1024, Adam for SGD with norms bounded, dropout 0.2 as in the demo.',
  batchSize: 128,
  epochs: 10,
  optimizer: { name: 'Adam', lr: 1e-3 },
  schedule: { name: 'cosine' },
  model: { hidden: [512], dropout: 0.2 },
  augmentation: [],
});

/** `LeNet` on MNIST. */
export const lenet = defineRecipe({
  source: 'LeCun et al. 1998, section III: 20 epochs of stochastic descent with a falling rate',
  adapted: 'Batches of 64 with momentum instead of single examples with second derivatives.',
  batchSize: 64,
  epochs: 20,
  optimizer: { name: 'SGD', lr: 0.05, momentum: 0.9 },
  schedule: { name: 'cosine' },
  model: {},
  augmentation: [],
});

/** `CifarCNN` on CIFAR-10. */
export const cifarCnn = defineRecipe({
  source:
    'Common practice for small networks on CIFAR-10: SGD with momentum 0.9 and weight decay (Krizhevsky et al. 2012)',
  adapted: 'Batches of 128, a cosine for steps of the rate; few epochs, as the network is small.',
  batchSize: 128,
  epochs: 20,
  optimizer: { name: 'SGD', lr: 0.05, momentum: 0.9, weightDecay: 5e-4 },
  schedule: { name: 'cosine' },
  model: {},
  augmentation: ['normalise by channel', 'flip left and right'],
});

/** `VGG` with batch normalisation on CIFAR-10. */
export const vggCifar = defineRecipe({
  source: 'Simonyan and Zisserman 2015, section 3.1 (momentum 0.9, decay 5e-4, dropout 0.5)',
  adapted: 'For 32x32: a head of 512, one average per channel, batch normalisation, a cosine for divisions by 10.',
  batchSize: 128,
  epochs: 100,
  optimizer: { name: 'SGD', lr: 0.05, momentum: 0.9, weightDecay: 5e-4 },
  schedule: { name: 'cosine', warmup: 0.02 },
  model: { batchNorm: true, hidden: 512, poolSize: 1, dropout: 0.5 },
  augmentation: ['normalise by channel', 'pad by 4 and crop 32x32', 'flip left and right'],
});

/** `resnet18` and its like on CIFAR-10, with the stem for small images. */
export const resnet18Cifar = defineRecipe({
  source:
    'He et al. 2016, section 4.2: SGD 0.1, momentum 0.9, batches of 128, divided by 10 at 1/2 and 3/4 of the run, crops and flips',
  adapted: 'Decay 5e-4 (Zagoruyko and Komodakis 2016) for 1e-4; 100 epochs for 164.',
  batchSize: 128,
  epochs: 100,
  optimizer: { name: 'SGD', lr: 0.1, momentum: 0.9, weightDecay: 5e-4 },
  schedule: { name: 'steps', at: [0.5, 0.75], gamma: 0.1 },
  model: { stem: 'cifar', numClasses: 10 },
  augmentation: ['normalise by channel', 'pad by 4 and crop 32x32', 'flip left and right'],
});

/** `resnet50` and its like on ImageNet. */
export const resnetImageNet = defineRecipe({
  source:
    'He et al. 2016, section 3.4 and Goyal et al. 2017: 90 epochs, 0.1 for batches of 256, divided by 10 at 30, 60 and 80',
  adapted: 'Nothing; no run of it was made in this project.',
  batchSize: 256,
  epochs: 90,
  optimizer: { name: 'SGD', lr: 0.1, momentum: 0.9, weightDecay: 1e-4 },
  schedule: { name: 'steps', at: [30 / 90, 60 / 90, 80 / 90], gamma: 0.1 },
  model: { zeroInitResidual: true },
  augmentation: ['crop of 8 to 100 percent of the area to 224x224', 'flip left and right', 'normalise by channel'],
});

/** `MobileNetV2` on CIFAR-10. */
export const mobileNetV2Cifar = defineRecipe({
  source: 'Sandler et al. 2018, section 6.1 (decay 4e-5), for ImageNet with RMSprop',
  adapted: 'SGD with momentum and a cosine, as is common on CIFAR-10; the first two halvings are left out.',
  batchSize: 128,
  epochs: 100,
  optimizer: { name: 'SGD', lr: 0.05, momentum: 0.9, weightDecay: 4e-5 },
  decay: 'matrices',
  schedule: { name: 'cosine', warmup: 0.02 },
  model: { stem: 'cifar', numClasses: 10 },
  augmentation: ['normalise by channel', 'pad by 4 and crop 32x32', 'flip left and right'],
});

/** `RNNClassifier`, `LSTMClassifier` and `GRUClassifier` on film reviews. */
export const textClassifier = defineRecipe({
  source:
    'The IMDB example of Keras (Adam, batches of 32 to 64, a few epochs, dropout); clipping as in Pascanu et al. 2013',
  adapted: 'Reviews of 200 words instead of 80 to 500.',
  batchSize: 64,
  epochs: 5,
  optimizer: { name: 'Adam', lr: 1e-3 },
  schedule: { name: 'constant' },
  clipNorm: 1,
  model: { dropout: 0.3 },
  augmentation: [],
});

/** `Seq2Seq`. */
export const seq2seq = defineRecipe({
  source: 'Bahdanau et al. 2015, appendix B: batches of 80, gradients clipped to 1',
  adapted: 'Adam for Adadelta.',
  batchSize: 80,
  epochs: 20,
  optimizer: { name: 'Adam', lr: 1e-3 },
  schedule: { name: 'linear', warmup: 0.05 },
  clipNorm: 1,
  model: { dropout: 0.2 },
  augmentation: [],
});

/** `Autoencoder` and `ConvAutoencoder` on MNIST. */
export const autoencoder = defineRecipe({
  source: 'Hinton and Salakhutdinov 2006 (cross entropy of pixels)',
  adapted: 'Trained at once with Adam instead of layer by layer; smaller.',
  batchSize: 128,
  epochs: 20,
  optimizer: { name: 'Adam', lr: 1e-3 },
  schedule: { name: 'cosine' },
  model: {},
  augmentation: [],
});

/** `VAE` and `ConvVAE` on MNIST. */
export const vae = defineRecipe({
  source: 'Kingma and Welling 2014, section 5: batches of 100, one draw for each example',
  adapted: 'Adam for Adagrad; 400 hidden units and 20 numbers of code, as in the example of PyTorch.',
  batchSize: 100,
  epochs: 30,
  optimizer: { name: 'Adam', lr: 1e-3 },
  schedule: { name: 'constant' },
  model: {},
  augmentation: [],
});

/** Either network of `DCGAN`. */
export const dcgan = defineRecipe({
  source:
    'Radford et al. 2015, section 4: Adam 2e-4 with a first decay rate of 0.5, batches of 128, pixels from -1 to 1',
  adapted: 'Nothing but the number of epochs.',
  batchSize: 128,
  epochs: 25,
  optimizer: { name: 'Adam', lr: 2e-4, betas: [0.5, 0.999] },
  schedule: { name: 'constant' },
  model: {},
  augmentation: ['scale pixels to -1 to 1'],
});

/** Either network of `WGAN`. */
export const wgan = defineRecipe({
  source: 'Gulrajani et al. 2017, algorithm 1: Adam 1e-4 with decay rates 0 and 0.9, 5 steps of the critic, penalty 10',
  adapted: 'Nothing but the number of epochs.',
  batchSize: 64,
  epochs: 25,
  optimizer: { name: 'Adam', lr: 1e-4, betas: [0, 0.9] },
  schedule: { name: 'constant' },
  model: { penaltyWeight: 10 },
  augmentation: ['scale pixels to -1 to 1'],
  criticSteps: 5,
});

/** `TransformerClassifier` on film reviews. */
export const transformerClassifier = defineRecipe({
  source: 'Vaswani et al. 2017, section 5 (decay rates 0.9 and 0.98, warm-up, dropout 0.1)',
  adapted: 'AdamW and a line to 0 (Devlin et al. 2019) for the inverse square root; a small model without pretraining.',
  batchSize: 32,
  epochs: 5,
  optimizer: { name: 'AdamW', lr: 3e-4, betas: [0.9, 0.98], weightDecay: 0.01 },
  decay: 'matrices',
  schedule: { name: 'linear', warmup: 0.1 },
  clipNorm: 1,
  model: { dropout: 0.1 },
  augmentation: [],
});

/** `GPT` on a text of about a million characters. */
export const gpt = defineRecipe({
  source:
    'Brown et al. 2020, appendix B: AdamW with decay rates 0.9 and 0.95, decay 0.1, clipping 1, warm-up and a cosine',
  adapted:
    'For a small model of characters: 1e-3, batches of 64 windows, dropout 0.2; the cosine ends at 0, not at a tenth.',
  batchSize: 64,
  epochs: 10,
  optimizer: { name: 'AdamW', lr: 1e-3, betas: [0.9, 0.95], weightDecay: 0.1 },
  decay: 'matrices',
  schedule: { name: 'cosine', warmup: 0.02 },
  clipNorm: 1,
  model: { width: 384, numLayers: 6, numHeads: 6, contextLength: 256, dropout: 0.2 },
  augmentation: [],
});

/** `ViT` on CIFAR-10, from the start. */
export const vit = defineRecipe({
  source:
    'Touvron et al. 2021, "DeiT", table 9: AdamW, decay 0.05, warm-up and a cosine, label smoothing 0.1, strong augmentation',
  adapted:
    'A small model with patches of 4 pixels, batches of 128 and 1e-3 for 1024, 100 epochs for 300; no distillation.',
  batchSize: 128,
  epochs: 100,
  optimizer: { name: 'AdamW', lr: 1e-3, weightDecay: 0.05 },
  decay: 'matrices',
  schedule: { name: 'cosine', warmup: 0.05 },
  clipNorm: 1,
  labelSmoothing: 0.1,
  model: { imageSize: 32, patchSize: 4, hiddenDim: 192, numHeads: 3, numLayers: 6, dropout: 0.1, numClasses: 10 },
  augmentation: [
    'normalise by channel',
    'pad by 4 and crop 32x32',
    'flip left and right',
    'RandAugment',
    'mixup or cutmix',
  ],
});
