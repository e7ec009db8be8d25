// Names, shapes and numbers of parameters of the published models, so that weights can be loaded by name.
import { describe, expect, test } from 'vitest';
import { models, tensor, zeros, type nn, type Tensor } from 'thalweg';

type Shapes = [name: string, shape: number[]][];

const shapesOf = (model: unknown): Shapes =>
  Array.from((model as nn.Module).stateDict(), ([name, { shape }]) => [name, [...shape]]);
const half = { dtype: 'float16' } as const;

const norm = (name: string, width: number): Shapes => [
  ...['weight', 'bias', 'running_mean', 'running_var'].map((part): Shapes[number] => [`${name}.${part}`, [width]]),
  [`${name}.num_batches_tracked`, []],
];
const linear = (name: string, inputs: number, outputs: number): Shapes => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
];

/** torchvision's resnet, from its documentation of layers. */
function resnetShapes(blocks: readonly number[], bottleneck: boolean): Shapes {
  const shapes: Shapes = [['conv1.weight', [64, 3, 7, 7]], ...norm('bn1', 64)];
  let inputs = 64;
  blocks.forEach((count, stage) => {
    const width = 64 * 2 ** stage;
    const outputs = bottleneck ? 4 * width : width;
    for (let i = 0; i < count; i++) {
      const at = `layer${stage + 1}.${i}`;
      const kernels = bottleneck
        ? [
            [width, inputs, 1],
            [width, width, 3],
            [outputs, width, 1],
          ]
        : [
            [width, inputs, 3],
            [width, width, 3],
          ];
      kernels.forEach(([o, c, k], n) => {
        shapes.push([`${at}.conv${n + 1}.weight`, [o, c, k, k]], ...norm(`${at}.bn${n + 1}`, o));
      });
      if (i === 0 && inputs !== outputs)
        shapes.push([`${at}.downsample.0.weight`, [outputs, inputs, 1, 1]], ...norm(`${at}.downsample.1`, outputs));
      inputs = outputs;
    }
  });
  return [...shapes, ...linear('fc', inputs, 1000)];
}

describe('ResNet', () => {
  test.each([
    ['resnet18', models.resnet18, [2, 2, 2, 2], false, 11_689_512],
    ['resnet34', models.resnet34, [3, 4, 6, 3], false, 21_797_672],
    ['resnet50', models.resnet50, [3, 4, 6, 3], true, 25_557_032],
  ] as const)('%s', (_, make, blocks, bottleneck, count) => {
    const model = make(half);
    expect(model.countParameters()).toBe(count);
    expect(shapesOf(model)).toEqual(resnetShapes(blocks, bottleneck));
  });

  test('with the stem for CIFAR', () => {
    expect(models.resnet18({ stem: 'cifar', numClasses: 10, ...half }).countParameters()).toBe(11_173_962);
  });

  test('zeroInitResidual makes each block the identity at the start', () => {
    const model = new models.ResNet(models.BasicBlock, [1, 1, 1, 1], { width: 4, zeroInitResidual: true });
    expect(model.getParameter('layer1.0.bn2.weight').eq(0).all().itemSync()).toBe(true);
    expect(model.getParameter('layer1.0.bn1.weight').eq(1).all().itemSync()).toBe(true);
  });
});

test.each([
  [11, models.vgg11, 132_863_336, [0, 3, 6, 8, 11, 13, 16, 18]],
  [13, models.vgg13, 133_047_848, [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]],
  [16, models.vgg16, 138_357_544, [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]],
  [19, models.vgg19, 143_667_240, [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]],
] as const)('vgg%i', (layers, make, count, places) => {
  // Three quarters of the numbers are in the linear layers, so only one model has them all.
  const model = layers === 11 ? make(half) : make({ hidden: 1, poolSize: 1, ...half });
  const dense = [512 * 49 * 4096 + 4096, 4096 * 4096 + 4096, 4096 * 1000 + 1000].reduce((a, b) => a + b);
  expect(model.features.countParameters() + dense).toBe(count);
  if (layers === 11) expect(model.countParameters()).toBe(count);
  const names = [...places.map((i) => `features.${i}`), ...[0, 3, 6].map((i) => `classifier.${i}`)];
  expect(shapesOf(model).map(([name]) => name)).toEqual(names.flatMap((name) => [`${name}.weight`, `${name}.bias`]));
});

test('VGG with batch normalisation has it behind each convolution', () => {
  const names = shapesOf(models.vgg11({ batchNorm: true, hidden: 1, poolSize: 1, ...half })).map(([name]) => name);
  for (const i of [0, 4, 8, 11, 15, 18, 22, 25]) {
    expect(names).toContain(`features.${i}.bias`);
    expect(names).toContain(`features.${i + 1}.running_var`);
  }
});

test('MobileNetV2', () => {
  const shapes: Shapes = [['features.0.0.weight', [32, 3, 3, 3]], ...norm('features.0.1', 32)];
  let inputs = 32;
  let at = 1;
  for (const [expand, width, count] of [
    [1, 16, 1],
    [6, 24, 2],
    [6, 32, 3],
    [6, 64, 4],
    [6, 96, 3],
    [6, 160, 3],
    [6, 320, 1],
  ]) {
    for (let i = 0; i < count; i++, at++) {
      const inner = inputs * expand;
      const conv = `features.${at}.conv`;
      let part = 0;
      if (expand > 1)
        shapes.push([`${conv}.${part}.0.weight`, [inner, inputs, 1, 1]], ...norm(`${conv}.${part++}.1`, inner));
      shapes.push([`${conv}.${part}.0.weight`, [inner, 1, 3, 3]], ...norm(`${conv}.${part++}.1`, inner));
      shapes.push([`${conv}.${part}.weight`, [width, inner, 1, 1]], ...norm(`${conv}.${part + 1}`, width));
      inputs = width;
    }
  }
  shapes.push(['features.18.0.weight', [1280, 320, 1, 1]], ...norm('features.18.1', 1280));
  const model = new models.MobileNetV2(half);
  expect(model.countParameters()).toBe(3_504_872);
  expect(shapesOf(model)).toEqual([...shapes, ...linear('classifier.1', 1280, 1000)]);
});

test('ViT-B/16', () => {
  const layer = (i: number): Shapes => {
    const name = `encoder.layers.encoder_layer_${i}`;
    return [
      [`${name}.ln_1.weight`, [768]],
      [`${name}.ln_1.bias`, [768]],
      [`${name}.self_attention.in_proj_weight`, [2304, 768]],
      [`${name}.self_attention.in_proj_bias`, [2304]],
      ...linear(`${name}.self_attention.out_proj`, 768, 768),
      [`${name}.ln_2.weight`, [768]],
      [`${name}.ln_2.bias`, [768]],
      ...linear(`${name}.mlp.0`, 768, 3072),
      ...linear(`${name}.mlp.3`, 3072, 768),
    ];
  };
  const model = models.vitB16(half);
  expect(model.countParameters()).toBe(86_567_656);
  expect(shapesOf(model)).toEqual([
    ['class_token', [1, 1, 768]],
    ['conv_proj.weight', [768, 3, 16, 16]],
    ['conv_proj.bias', [768]],
    ['encoder.pos_embedding', [1, 197, 768]],
    ...Array.from({ length: 12 }, (_, i) => layer(i)).flat(),
    ['encoder.ln.weight', [768]],
    ['encoder.ln.bias', [768]],
    ...linear('heads.head', 768, 1000),
  ]);
});

describe('GPT-2', () => {
  test('has the size and the names of Hugging Face', () => {
    const model = new models.GPT(half);
    expect(model.countParameters()).toBe(124_439_808);
    const names = shapesOf(model);
    expect(names.slice(0, 3)).toEqual([
      ['transformer.wte.weight', [50257, 768]],
      ['transformer.wpe.weight', [1024, 768]],
      ['transformer.h.0.ln_1.weight', [768]],
    ]);
    expect(names).toContainEqual(['transformer.h.11.attn.c_attn.weight', [768, 2304]]);
    expect(names).toContainEqual(['transformer.h.11.mlp.c_proj.weight', [3072, 768]]);
    expect(names.at(-1)).toEqual(['transformer.ln_f.bias', [768]]);
    expect(names).toHaveLength(2 + 12 * 12 + 2);
  });

  test('loads files with and without the prefix, masks and the tied head among them', () => {
    const options = { vocabSize: 5, contextLength: 4, width: 4, numLayers: 1, numHeads: 2 };
    const [from, to] = [new models.GPT(options), new models.GPT(options)];
    const file = new Map<string, Tensor>();
    for (const [name, value] of from.stateDict()) file.set(name.replace('transformer.', ''), value);
    file.set('h.0.attn.bias', zeros([1, 1, 4, 4]));
    file.set('h.0.attn.masked_bias', tensor(-1e4));
    file.set('lm_head.weight', zeros([5, 4]));
    expect(to.loadPretrained(file)).toEqual({ missing: [], unexpected: [] });
    for (const [name, value] of to.stateDict()) expect(value.equal(from.stateDict().get(name)!)).toBe(true);
    file.delete('wte.weight');
    expect(() => to.loadPretrained(file)).toThrow('Missing: transformer.wte.weight.');
  });
});
