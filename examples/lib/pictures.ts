// Pictures that programs leave behind.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encode } from 'fast-png';
import type { Tensor } from 'thalweg';

export interface Line {
  readonly name: string;
  readonly y: readonly number[];
  /** Default: 0, 1, 2 ... */
  readonly x?: readonly number[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  readonly logX?: boolean;
  readonly logY?: boolean;
}

const WIDTH = 760;
const HEIGHT = 380;
const MARGIN = { left: 72, right: 190, top: 34, bottom: 46 };
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf', '#8c564b', '#e377c2', '#7f7f7f', '#bcbd22'];

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Positions of one axis in pixels, and where its labels go. */
function axis(values: readonly number[], log: boolean, from: number, to: number) {
  const scale = (v: number): number => (log ? Math.log10(v) : v);
  const shown = values.map(scale).filter(Number.isFinite);
  let low = shown.reduce((a, b) => Math.min(a, b), Infinity);
  let high = shown.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const magnitude = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = [1, 2, 5, 10].map((m) => m * magnitude).find((s) => (high - low) / s <= 6) ?? magnitude;
  const ticks: { readonly at: number; readonly text: string }[] = [];
  const place = (v: number): number => from + ((v - low) / (high - low)) * (to - from);
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    const value = log ? 10 ** (i * step) : i * step;
    ticks.push({ at: place(i * step), text: String(Number(value.toPrecision(log ? 2 : 6))) });
  }
  return { ticks, at: (v: number): number | undefined => (Number.isFinite(scale(v)) ? place(scale(v)) : undefined) };
}

/** A line chart with a legend as an SVG document. Values that are not finite leave gaps. */
export function lineChart({ title, xLabel, yLabel, lines, logX = false, logY = false }: Chart): string {
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const points = lines.map(({ y, x }) => y.map((value, i) => [x?.[i] ?? i, value] as const));
  const across = axis(points.flatMap((line) => line.map(([x]) => x)), logX, MARGIN.left, right);
  const up = axis(points.flatMap((line) => line.map(([, y]) => y)), logY, bottom, MARGIN.top);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${(MARGIN.left + right) / 2}" y="20" text-anchor="middle" font-size="14">${escape(title)}</text>`,
    `<text x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escape(xLabel)}</text>`,
    `<text transform="translate(14 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>`,
  ];
  for (const { at, text } of up.ticks) {
    parts.push(
      `<line x1="${MARGIN.left}" x2="${right}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}" stroke="#ddd"/>`,
      `<text x="${MARGIN.left - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${text}</text>`,
    );
  }
  for (const { at, text } of across.ticks)
    parts.push(`<text x="${at.toFixed(1)}" y="${bottom + 17}" text-anchor="middle">${text}</text>`);
  for (const [n, { name }] of lines.entries()) {
    // Once all colours are used they come again, dashed.
    const stroke = `stroke="${COLOURS[n % COLOURS.length]}" stroke-width="1.6"${n >= COLOURS.length ? ' stroke-dasharray="5 3"' : ''}`;
    const pieces: string[][] = [[]];
    for (const [x, y] of points[n]) {
      const [px, py] = [across.at(x), up.at(y)];
      if (px === undefined || py === undefined) pieces.push([]);
      else pieces[pieces.length - 1].push(`${px.toFixed(1)},${py.toFixed(1)}`);
    }
    for (const piece of pieces)
      if (piece.length > 0) parts.push(`<polyline fill="none" ${stroke} points="${piece.join(' ')}"/>`);
    const y = MARGIN.top + 10 + n * 16;
    parts.push(
      `<line x1="${right + 12}" x2="${right + 34}" y1="${y - 4}" y2="${y - 4}" ${stroke}/>`,
      `<text x="${right + 40}" y="${y}">${escape(name)}</text>`,
    );
  }
  return `${parts.join('\n')}\n</svg>\n`;
}

export async function saveText(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  console.log(`wrote ${file}`);
}

/** Saves grey images [N, 1, H, W] with values from 0 to 1 as one PNG, some beside each other. */
export async function saveGrid(file: string, images: Tensor, columns = 8): Promise<void> {
  const [count, , height, width] = images.shape as readonly [number, number, number, number];
  const pixels = await images.detach().to('float32').contiguous().data();
  const gap = 2;
  const rows = Math.ceil(count / columns);
  const total = { width: columns * (width + gap) - gap, height: rows * (height + gap) - gap };
  const grid = new Uint8Array(total.width * total.height).fill(64);
  for (let n = 0; n < count; n++) {
    const left = (n % columns) * (width + gap);
    const top = Math.floor(n / columns) * (height + gap);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = Number(pixels[(n * height + y) * width + x]);
        grid[(top + y) * total.width + left + x] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
    }
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, encode({ ...total, data: grid, channels: 1, depth: 8 }));
  console.log(`wrote ${file}`);
}
