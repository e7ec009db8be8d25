// Steps of the usual optimizers, and what goes with them.
import { nn, noGrad, optim, randn, type Tensor } from 'thalweg';

type Make = (parameters: Tensor[]) => { step(closure: () => Tensor): unknown };

const makers: Readonly<Record<string, Make>> = {
  SGD: (p) => new optim.SGD(p, { lr: 0.1 }),
  'SGD with momentum': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
  'SGD with weight decay': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
  Adam: (p) => new optim.Adam(p),
  'Adam with weight decay': (p) => new optim.Adam(p, { weightDecay: 1e-4 }),
  'Adam, amsgrad': (p) => new optim.Adam(p, { amsgrad: true }),
  AdamW: (p) => new optim.AdamW(p),
  Adamax: (p) => new optim.Adamax(p),
  NAdam: (p) => new optim.NAdam(p),
  RAdam: (p) => new optim.RAdam(p),
  Adagrad: (p) => new optim.Adagrad(p),
  RMSprop: (p) => new optim.RMSprop(p),
  'RMSprop with momentum': (p) => new optim.RMSprop(p, { momentum: 0.9 }),
  Adafactor: (p) => new optim.Adafactor(p),
  Lion: (p) => new optim.Lion(p),
  LAMB: (p) => new optim.LAMB(p, { weightDecay: 0.01 }),
  Muon: (p) => new optim.Muon(p.slice(0, 1)),
};

function parameters(): Tensor[] {
  const shapes = [[4, 6], [6]];
  return shapes.map((shape) => {
    const p: Tensor = randn(shape, { device: 'cuda', requiresGrad: true });
    p.grad = randn(shape, { device: 'cuda' });
    return p;
  });
}

/** By name: what runs two steps. */
export const optimizers: Readonly<Record<string, () => void>> = {
  ...Object.fromEntries(
    Object.entries(makers).map(([name, make]) => [
      name,
      () => {
        const optimizer = make(parameters());
        for (let i = 0; i < 2; i++) optimizer.step(() => randn([], { device: 'cuda' }));
      },
    ]),
  ),
  'gradients, clipped'() {
    const p = parameters();
    nn.utils.clipGradNorm(p, 1);
    nn.utils.clipGradNorm(p, 1, { normType: Infinity });
    nn.utils.clipGradValue(p, 1);
  },
  'gradients, accumulated'() {
    const [p] = parameters();
    for (let i = 0; i < 2; i++) p.square().sum().backward();
  },
  'weights, averaged'() {
    const model = new nn.Linear(4, 6).to('cuda');
    for (const average of [new optim.EMA(model), new optim.SWA(model)]) noGrad(() => average.update());
  },
};
