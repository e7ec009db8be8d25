// Optimizers: a few steps over a list of parameters of any shapes, each one fused program over all of them.
import { amp, mul, noGrad, optim, sum, type DType, type Tensor } from 'thalweg';
import { numel, operand, type Operand } from '../array.js';
import type { Family } from '../fuzz.js';
import { computeUnit, expectNear } from '../near.js';
import type { Random } from '../random.js';

interface Rule {
  readonly text: string;
  readonly make: (parameters: readonly Tensor[]) => optim.SGD | optim.Adam | optim.RMSprop;
  /** Makes the state of one number, and then its steps. */
  readonly start: () => (p: number, g: number, t: number) => number;
  /** A bound of the size of a step. */
  readonly stride: (g: number) => number;
}

function sgd(random: Random): Rule {
  const lr = 0.1;
  const momentum = random.pick([0, 0.9]);
  const nesterov = momentum > 0 && random.chance(0.5);
  const weightDecay = random.pick([0, 0.01]);
  return {
    text: `SGD ${JSON.stringify({ lr, momentum, nesterov, weightDecay })}`,
    make: (parameters) => new optim.SGD(parameters, { lr, momentum, nesterov, weightDecay }),
    start: () => {
      let buffer = 0;
      return (p, gradient, t) => {
        const g = gradient + weightDecay * p;
        if (momentum === 0) return p - lr * g;
        buffer = t === 1 ? g : momentum * buffer + g;
        return p - lr * (nesterov ? g + momentum * buffer : buffer);
      };
    },
    stride: (g) => 10 * lr * (g + 1),
  };
}

function adam(random: Random): Rule {
  const lr = 0.01;
  const [b1, b2] = [0.9, 0.99];
  const eps = 1e-6;
  const weightDecay = random.pick([0, 0.1]);
  const decoupled = random.chance(0.5);
  const options = { lr, betas: [b1, b2] as const, eps, weightDecay };
  return {
    text: `${decoupled ? 'AdamW' : 'Adam'} ${JSON.stringify(options)}`,
    make: (parameters) => (decoupled ? new optim.AdamW(parameters, options) : new optim.Adam(parameters, options)),
    start: () => {
      let m = 0;
      let v = 0;
      return (p, gradient, t) => {
        const g = decoupled ? gradient : gradient + weightDecay * p;
        const decayed = decoupled ? p * (1 - lr * weightDecay) : p;
        m = b1 * m + (1 - b1) * g;
        v = b2 * v + (1 - b2) * g * g;
        return decayed - (lr * (m / (1 - b1 ** t))) / (Math.sqrt(v / (1 - b2 ** t)) + eps);
      };
    },
    // The mean of a few gradients by their root mean square is below 1 in size, but for its own cancellation.
    stride: () => 4 * lr,
  };
}

function rmsprop(random: Random): Rule {
  const lr = 0.01;
  const alpha = random.pick([0.9, 0.99]);
  const eps = 1e-6;
  return {
    text: `RMSprop ${JSON.stringify({ lr, alpha, eps })}`,
    make: (parameters) => new optim.RMSprop(parameters, { lr, alpha, eps }),
    start: () => {
      let v = 0;
      return (p, g) => {
        v = alpha * v + (1 - alpha) * g * g;
        return p - (lr * g) / (Math.sqrt(v) + eps);
      };
    },
    stride: () => (2 * lr) / Math.sqrt(1 - alpha),
  };
}

export const optimFamily: Family = {
  name: 'optim',
  run(random, note) {
    const dtype = random.pick<DType>(['float32', 'float32', 'float64']);
    const rule = random.pick([sgd, adam, adam, rmsprop])(random);
    const parameters = Array.from({ length: random.size(random.chance(0.1) ? 20 : 4, 1) }, () => {
      const shape = random.shape(random.int(0, 3), random.chance(0.05) ? 3000 : 130);
      const p = operand(random, shape, { dtype, plain: true });
      return { p, gradients: [] as Operand[], tensor: p.tensor.requiresGrad_() };
    });
    note(`${rule.text} of ${dtype} ${parameters.map(({ p }) => `[${p.shape.join()}]`).join(' ')}`);
    const optimizer = rule.make(parameters.map(({ tensor }) => tensor));
    // With a scaler, some steps have gradients that overflow, and do not count.
    const scaler = random.chance(0.5) ? new amp.GradScaler({ initScale: 256, growthInterval: 2 }) : null;
    const steps = random.int(1, 4);
    for (let t = 1; t <= steps;) {
      const overflows = scaler !== null && random.chance(0.3);
      optimizer.zeroGrad();
      for (const { p, gradients, tensor } of parameters) {
        // Not so small that eps or cancellation decides.
        const value = (r: Random): number => (0.1 + r.next()) * (r.chance(0.5) ? 1 : -1);
        const g = operand(random, p.shape, { dtype, value, expand: false });
        if (!overflows) gradients.push(g);
        const loss = sum(mul(tensor, g.tensor));
        (scaler === null ? loss : scaler.scale(loss)).backward();
      }
      if (overflows) {
        const filled = parameters.filter(({ p }) => numel(p.shape) > 0);
        if (filled.length === 0) break;
        const { tensor } = random.pick(filled);
        noGrad(() => tensor.grad!.fill_(random.pick([NaN, Infinity, -Infinity])));
      }
      if (scaler === null) optimizer.step();
      else {
        scaler.step(optimizer);
        scaler.update();
      }
      if (!overflows) t++;
    }
    const unit = 2 * computeUnit(dtype);
    parameters.forEach(({ p, gradients, tensor }, k) => {
      const bound = new Float64Array(numel(p.shape));
      const data = p.data.map((start, i) => {
        const step = rule.start();
        let value = start;
        for (let t = 1; t <= steps; t++) {
          const g = gradients[t - 1].data[i];
          value = step(value, g, t);
          bound[i] += unit * (2 * Math.abs(value) + 2 * Math.abs(start) + 12 * rule.stride(Math.abs(g)));
        }
        return value;
      });
      expectNear(`parameter ${k}`, tensor, { shape: p.shape, data, bound, dtype });
    });
  },
};
