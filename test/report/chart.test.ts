// Charts as SVG: what is drawn, and that no text gets out of its place.
import { describe, expect, test } from 'vitest';
import { report } from 'thalweg';
import { errorOf } from '../error-of.js';

const curve = (n: number): number[] => Array.from({ length: n }, (_, i) => 2 / (i + 1));

describe('chart', () => {
  test('draws each series, the title, the labels and the legend', () => {
    const svg = report.chart({
      title: 'Loss of a run',
      xLabel: 'epoch',
      yLabel: 'nats',
      series: [
        { name: 'train', y: curve(20), color: '#123456' },
        { name: 'validation', y: curve(20), kind: 'dashed', color: '#654321' },
      ],
    });
    expect(svg).toMatch(/^<svg width="760" height="420"/);
    for (const text of ['Loss of a run', 'epoch', 'nats', 'train', 'validation'])
      expect(svg).toContain(`>${text}</text>`);
    // Lines of 20 points: one start and 19 steps.
    const lines = [...svg.matchAll(/<path d="(M[^"]*)"[^>]*stroke="#(123456|654321)"/g)];
    expect(lines.map(([, path]) => path.split(/[ML]/).length - 1)).toContain(20);
    expect(new Set(lines.map((line) => line[2]))).toEqual(new Set(['123456', '654321']));
  });

  test('leaves gaps for values that are not finite, and for what a logarithm does not take', () => {
    const lineOf = (options: Partial<report.ChartOptions>, y: number[]): string[] => {
      const svg = report.chart({ ...options, series: [{ name: '', y, color: '#123456' }] });
      return [...svg.matchAll(/<path d="(M[^"]*)"[^>]*stroke="#123456"/g)].map(([, path]) => path);
    };
    const parts = (paths: string[]): number => paths.join('').split('M').length - 1;
    expect(parts(lineOf({}, [1, 2, 3, 4, 5]))).toBe(1);
    expect(parts(lineOf({}, [1, 2, NaN, 4, 5]))).toBe(2);
    expect(parts(lineOf({}, [1, 2, Infinity, 4, 5]))).toBe(2);
    expect(parts(lineOf({ logY: true }, [1, 2, 0, 4, 5]))).toBe(2);
    expect(lineOf({ logX: true }, [1, 2, 3, 4, 5]).join('')).not.toMatch(/NaN|Infinity/);
  });

  test('draws empty series, one point, and a flat line', () => {
    for (const y of [[], [1], [2, 2, 2], [NaN]]) {
      expect(report.chart({ series: [{ name: 'a', y }] })).not.toMatch(/NaN|undefined/);
    }
  });

  test('escapes names', () => {
    const bad = '</text><script>alert(1)</script>&"';
    const svg = report.chart({
      title: bad,
      xLabel: bad,
      series: [
        { name: bad, y: [1, 2] },
        { name: 'b', y: [2, 1] },
      ],
    });
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;');
  });

  test('refuses what cannot be drawn', () => {
    expect(errorOf(() => report.chart({ series: [] }))).toBe(
      'ArgumentError: chart: series must be a list of at least one { name, y }.',
    );
    expect(errorOf(() => report.chart({ series: [{ name: 'a', y: [1, 2], x: [1] }] }))).toBe(
      "ArgumentError: chart: series[0] 'a' has 2 values and 1 places; there must be as many.",
    );
    expect(errorOf(() => report.chart({ series: [{ name: 'a', y: 'no' as unknown as number[] }] }))).toMatch(
      /series\[0\]/,
    );
    expect(errorOf(() => report.chart({ width: 5, series: [{ name: 'a', y: [1] }] }))).toMatch(/width must be/);
    expect(errorOf(() => report.chart({ theme: 'red' as 'dark', series: [{ name: 'a', y: [1] }] }))).toMatch(/theme/);
  });
});
