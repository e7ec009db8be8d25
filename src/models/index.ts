// The namespace `models`: well-known networks.
export type { ActivationName, ModelOptions } from './common.js';
export { Autoencoder, AutoencoderBase, ConvAutoencoder } from './autoencoder.js';
export type { TranslateOptions } from './beam.js';
export { CifarCNN, LeNet, type CifarCNNOptions, type LeNetOptions } from './cnn.js';
export type { CoderOptions, ConvCoderOptions } from './coders.js';
export {
  DCGAN,
  DCGANDiscriminator,
  DCGANGenerator,
  gradientPenalty,
  WGAN,
  WGANCritic,
  type CriticLoss,
  type GANOptions,
  type WGANCriticOptions,
  type WGANOptions,
  type GradientPenalty,
} from './gan.js';
export { sampleLogits, type GenerateOptions, type SamplingChoice } from './generate.js';
export { GPT, type GPTOptions } from './gpt.js';
export { KeyValueCache } from './keyValueCache.js';
export { MLP, type MLPOptions } from './mlp.js';
export { InvertedResidual, MobileNetV2, type MobileNetV2Options } from './mobilenet.js';
export {
  GRUClassifier,
  LSTMClassifier,
  RecurrentClassifier,
  RNNClassifier,
  type RecurrentClassifierOptions,
} from './recurrent.js';
export { ConvVAE, VAE, VAEBase, vaeLoss, type VaeLossOptions } from './vae.js';
export { BasicBlock, Bottleneck, ResNet, resnet18, resnet34, resnet50, type ResNetOptions } from './resnet.js';
export { VGG, vgg11, vgg13, vgg16, vgg19, type VGGConfig, type VGGOptions } from './vgg.js';
export { Seq2Seq, type Encoded, type Seq2SeqCallOptions, type Seq2SeqOptions } from './seq2seq.js';
export { BahdanauDecoder, LuongDecoder, type Decoded, type Memory } from './seq2seqDecoders.js';
export { TransformerClassifier, type TransformerClassifierOptions } from './transformer.js';
export { ViT, vitB16, type ViTOptions } from './vit.js';
export * as recipes from './recipes.js';
