// Losses as layers: their options, kept. Weights are buffers, so that they move with the module.
import type { Tensor } from '../tensor/tensor.js';
import { ctcLoss, type CTCLossOptions, type Lengths } from './ctcLoss.js';
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  gaussianNllLoss,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  poissonNllLoss,
  smoothL1Loss,
  type BCEWithLogitsLossOptions,
  type GaussianNllLossOptions,
  type HuberLossOptions,
  type KLDivLossOptions,
  type Loss,
  type PoissonNllLossOptions,
  type SmoothL1LossOptions,
  type WeightedLossOptions,
} from './losses.js';
import { Module } from './module.js';
import {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
  type MarginLossOptions,
  type MultiMarginLossOptions,
  type TripletMarginLossOptions,
  type TripletMarginWithDistanceLossOptions,
} from './rankingLosses.js';
import type { LossOptions } from './reduction.js';

/** `mseLoss` as a layer, with the same options. */
export class MSELoss extends Module {
  /** A buffer, or null without one. */
  readonly weight: Tensor | null;
  private readonly _options: Omit<WeightedLossOptions, 'weight'>;

  constructor(options: WeightedLossOptions = {}) {
    super();
    const { weight = null, ...rest } = options;
    this.weight = weight;
    this._options = rest;
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return mseLoss(input, target, { ...this._options, weight: this.weight });
  }
}

/** `l1Loss` as a layer, with the same options. */
export class L1Loss extends Module {
  /** A buffer, or null without one. */
  readonly weight: Tensor | null;
  private readonly _options: Omit<WeightedLossOptions, 'weight'>;

  constructor(options: WeightedLossOptions = {}) {
    super();
    const { weight = null, ...rest } = options;
    this.weight = weight;
    this._options = rest;
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return l1Loss(input, target, { ...this._options, weight: this.weight });
  }
}

/** `smoothL1Loss` as a layer, with the same options. */
export class SmoothL1Loss extends Module {
  constructor(private readonly _options: SmoothL1LossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return smoothL1Loss(input, target, this._options);
  }
}

/** `huberLoss` as a layer, with the same options. */
export class HuberLoss extends Module {
  /** A buffer, or null without one. */
  readonly weight: Tensor | null;
  private readonly _options: Omit<HuberLossOptions, 'weight'>;

  constructor(options: HuberLossOptions = {}) {
    super();
    const { weight = null, ...rest } = options;
    this.weight = weight;
    this._options = rest;
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return huberLoss(input, target, { ...this._options, weight: this.weight });
  }
}

/** `binaryCrossEntropy` as a layer, with the same options. */
export class BCELoss extends Module {
  /** A buffer, or null without one. */
  readonly weight: Tensor | null;
  private readonly _options: Omit<WeightedLossOptions, 'weight'>;

  constructor(options: WeightedLossOptions = {}) {
    super();
    const { weight = null, ...rest } = options;
    this.weight = weight;
    this._options = rest;
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return binaryCrossEntropy(input, target, { ...this._options, weight: this.weight });
  }
}

/** `binaryCrossEntropyWithLogits` as a layer, with the same options. */
export class BCEWithLogitsLoss extends Module {
  /** A buffer, or null without one. */
  readonly weight: Tensor | null;
  /** A buffer, or null without one. */
  readonly posWeight: Tensor | null;
  private readonly _options: Omit<BCEWithLogitsLossOptions, 'weight' | 'posWeight'>;

  constructor(options: BCEWithLogitsLossOptions = {}) {
    super();
    const { weight = null, posWeight = null, ...rest } = options;
    this.weight = weight;
    this.posWeight = posWeight;
    this._options = rest;
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return binaryCrossEntropyWithLogits(input, target, {
      ...this._options,
      weight: this.weight,
      posWeight: this.posWeight,
    });
  }
}

/** `klDiv` as a layer, with the same options. */
export class KLDivLoss extends Module {
  constructor(private readonly _options: KLDivLossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return klDiv(input, target, this._options);
  }
}

/** `poissonNllLoss` as a layer, with the same options. */
export class PoissonNLLLoss extends Module {
  constructor(private readonly _options: PoissonNllLossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return poissonNllLoss(input, target, this._options);
  }
}

/** `gaussianNllLoss` as a layer, with the same options. */
export class GaussianNLLLoss extends Module {
  constructor(private readonly _options: GaussianNllLossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Loss {
    return gaussianNllLoss(input, target, variance, this._options);
  }
}

/** `hingeEmbeddingLoss` as a layer, with the same options. */
export class HingeEmbeddingLoss extends Module {
  constructor(private readonly _options: MarginLossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return hingeEmbeddingLoss(input, target, this._options);
  }
}

/** `softMarginLoss` as a layer, with the same options. */
export class SoftMarginLoss extends Module {
  constructor(private readonly _options: LossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return softMarginLoss(input, target, this._options);
  }
}

/** `marginRankingLoss` as a layer, with the same options. */
export class MarginRankingLoss extends Module {
  constructor(private readonly _options: MarginLossOptions = {}) {
    super();
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Loss {
    return marginRankingLoss(input1, input2, target, this._options);
  }
}

/** `cosineEmbeddingLoss` as a layer, with the same options. */
export class CosineEmbeddingLoss extends Module {
  constructor(private readonly _options: MarginLossOptions = {}) {
    super();
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Loss {
    return cosineEmbeddingLoss(input1, input2, target, this._options);
  }
}

/** `tripletMarginLoss` as a layer, with the same options. */
export class TripletMarginLoss extends Module {
  constructor(private readonly _options: TripletMarginLossOptions = {}) {
    super();
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Loss {
    return tripletMarginLoss(anchor, positive, negative, this._options);
  }
}

/** `tripletMarginWithDistanceLoss` as a layer, with the same options. */
export class TripletMarginWithDistanceLoss extends Module {
  constructor(private readonly _options: TripletMarginWithDistanceLossOptions = {}) {
    super();
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Loss {
    return tripletMarginWithDistanceLoss(anchor, positive, negative, this._options);
  }
}

/** `multiMarginLoss` as a layer, with the same options. */
export class MultiMarginLoss extends Module {
  /** A buffer, or null without one. */
  readonly weight: Tensor | null;
  private readonly _options: Omit<MultiMarginLossOptions, 'weight'>;

  constructor(options: MultiMarginLossOptions = {}) {
    super();
    const { weight = null, ...rest } = options;
    this.weight = weight;
    this._options = rest;
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return multiMarginLoss(input, target, { ...this._options, weight: this.weight });
  }
}

/** `multilabelMarginLoss` as a layer, with the same options. */
export class MultiLabelMarginLoss extends Module {
  constructor(private readonly _options: LossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return multilabelMarginLoss(input, target, this._options);
  }
}

/** `multilabelSoftMarginLoss` as a layer, with the same options. */
export class MultiLabelSoftMarginLoss extends Module {
  /** A buffer, or null without one. */
  readonly weight: Tensor | null;
  private readonly _options: Omit<WeightedLossOptions, 'weight'>;

  constructor(options: WeightedLossOptions = {}) {
    super();
    const { weight = null, ...rest } = options;
    this.weight = weight;
    this._options = rest;
  }

  override forward(input: Tensor, target: Tensor): Loss {
    return multilabelSoftMarginLoss(input, target, { ...this._options, weight: this.weight });
  }
}

/** `ctcLoss` as a layer, with the same options. */
export class CTCLoss extends Module {
  constructor(private readonly _options: CTCLossOptions = {}) {
    super();
  }

  override forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Loss {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this._options);
  }
}
