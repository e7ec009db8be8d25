// Products by cuBLASLt: on the emulated device by a library that stands for it and refuses what the real one would
// (native/test/fake_cublaslt.cpp), when THALWEG_CUDA_LIB_DIRS names its folder.
import { afterEach, expect, test } from 'vitest';
import { cuda, eye, full, getFloat32MatmulPrecision, nn, setFloat32MatmulPrecision } from 'thalweg';
import { errorOf } from '../error-of.js';
import { describeDevice } from './available.js';

const found = cuda.isAvailable() && /^cuBLASLt: \d/m.test(cuda.libraries());

afterEach(() => setFloat32MatmulPrecision('highest'));

describeDevice('products by cuBLASLt', () => {
  test.skipIf(!found)('round float32 to TF32 only when that is allowed', () => {
    // 1 + 2^-12 has more bits than TF32 keeps.
    const a = full([64, 64], 1 + 2 ** -12, { device: 'cuda' });
    const b = eye(64, 64, { device: 'cuda' });
    expect(a.matmul(b).dataSync()[0]).toBe(1 + 2 ** -12);
    setFloat32MatmulPrecision('high');
    expect(getFloat32MatmulPrecision()).toBe('high');
    expect(a.matmul(b).dataSync()[0]).toBe(1);
    expect(a.double().matmul(b.double()).dataSync()[0]).toBe(1 + 2 ** -12);
    setFloat32MatmulPrecision('highest');
    expect(a.matmul(b).dataSync()[0]).toBe(1 + 2 ** -12);
  });

  test.skipIf(!found)('are part of a graph', () => {
    const x = full([32, 64], 1, { device: 'cuda' });
    const layer = new nn.Linear(64, 32).to('cuda');
    const expected = layer.forward(x).add(1).dataSync();
    const step = cuda.graph(() => layer.forward(x).detach(), { warmup: 1 });
    step();
    for (let i = 0; i < 3; i++) expect(step().add(1).dataSync()).toEqual(expected);
  });

  test('a precision that does not exist', () => {
    expect(errorOf(() => setFloat32MatmulPrecision('medium' as 'high'))).toBe(
      "ArgumentError: setFloat32MatmulPrecision: expected 'highest' or 'high', got medium.",
    );
  });
});
