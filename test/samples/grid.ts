// Rows of gridSample and affineGrid; see sample.ts.
import { nn } from 'thalweg';
import { each, family } from './sample.js';

const { rows, samples } = family();
export { samples };

const { affineGrid, gridSample } = nn.functional;
const capital = (word: string): string => word[0].toUpperCase() + word.slice(1);

for (const mode of ['bilinear', 'nearest', 'bicubic'] as const) {
  const title = capital(mode);
  for (const paddingMode of ['zeros', 'border', 'reflection'] as const) {
    for (const alignCorners of [false, true]) {
      const end = `${capital(paddingMode)}${alignCorners ? 'Aligned' : ''}`;
      const planes = [`${mode}${end}`, `kink${title}${end}`];
      const volumes = mode === 'bicubic' ? [] : planes.map((name) => `${name}3`);
      const single = paddingMode === 'border' ? [] : [`single${title}${end}`];
      rows(
        'gridSample',
        each([...planes, ...volumes, ...single], ([x, grid]) =>
          gridSample(x, grid, { mode, paddingMode, alignCorners }),
        ),
      );
    }
  }
  rows(
    'gridSample',
    each([`emptyBatch${title}`, `emptyChannels${title}`, `emptyGrid${title}`], ([x, grid]) =>
      gridSample(x, grid, { mode }),
    ),
  );
}
rows('gridSample', { special: ([x, grid]) => gridSample(x, grid) });

for (const alignCorners of [false, true]) {
  const end = alignCorners ? 'Aligned' : '';
  rows('affineGrid', {
    [`plane${end}`]: ([theta]) => affineGrid(theta, [2, 3, 4, 3], { alignCorners }),
    [`volume${end}`]: ([theta]) => affineGrid(theta, [2, 1, 2, 3, 4], { alignCorners }),
    [`single${end}`]: ([theta]) => affineGrid(theta, [1, 1, 1, 3], { alignCorners }),
  });
}
rows('affineGrid', { sampled: ([x, theta]) => gridSample(x, affineGrid(theta, [1, 2, 3, 4])) });
