// The namespace `models`: well-known networks.
export type { ActivationName, ModelOptions } from './common.js';
export { Autoencoder, AutoencoderBase, ConvAutoencoder } from './autoencoder.js';
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
} from './gan.js';
export { MLP, type MLPOptions } from './mlp.js';
export {
  GRUClassifier,
  LSTMClassifier,
  RecurrentClassifier,
  RNNClassifier,
  type RecurrentClassifierOptions,
} from './recurrent.js';
export { ConvVAE, VAE, VAEBase, vaeLoss, type VaeLossOptions } from './vae.js';
