import { cnn } from './cnn.js';
import { dcgan } from './dcgan.js';
import { gpt } from './gpt.js';
import { lstm } from './lstm.js';
import { mlp } from './mlp.js';
import type { Model } from './model.js';
import { resnet18 } from './resnet18.js';
import { vae } from './vae.js';

export const models: readonly Model[] = [mlp, cnn, lstm, resnet18, gpt, vae, dcgan];
