// A line chart as an SVG document.

/** How a chart looks. */
export interface ChartOptions {
  /** In pixels. Default 640. */
  width?: number;
  /** In pixels. Default 320. */
  height?: number;
  /** Above the chart. Default: what is drawn. */
  title?: string;
}

interface Axes extends ChartOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  /** The x of the first point. */
  readonly first: number;
}

const colors = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf'];
const margin = { left: 72, right: 16, top: 32, bottom: 44 };

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const round = (value: number): number => Math.round(value * 100) / 100;

/** Round numbers from low to high, at most about six. */
function ticks(low: number, high: number): number[] {
  const span = high - low;
  const magnitude = 10 ** Math.floor(Math.log10(span / 5));
  const step = [1, 2, 5, 10].map((m) => m * magnitude).find((s) => span / s <= 6)!;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

/** Lines over a common x that counts from `first`. Equal lines are drawn once. */
export function svgChart(lines: readonly (readonly number[])[], axes: Axes): string {
  const { width = 640, height = 320, title = '', first } = axes;
  const distinct = lines.filter((line, i) => lines.findIndex((other) => other.join() === line.join()) === i);
  const values = distinct.flat().filter(Number.isFinite);
  const top = Math.max(...values, 0);
  const bottom = Math.min(...values, 0);
  const high = top > bottom ? top : bottom + 1;
  const last = Math.max(first + distinct[0].length - 1, first + 1);
  const x = (i: number): number =>
    round(margin.left + ((i - first) / (last - first)) * (width - margin.left - margin.right));
  const y = (v: number): number =>
    round(height - margin.bottom - ((v - bottom) / (high - bottom)) * (height - margin.top - margin.bottom));
  const label = (value: number): string => String(Number(value.toPrecision(6)));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${width / 2}" y="20" text-anchor="middle" font-size="14">${escape(title)}</text>`,
    `<text x="${width / 2}" y="${height - 8}" text-anchor="middle">${escape(axes.xLabel)}</text>`,
    `<text transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">${escape(axes.yLabel)}</text>`,
  ];
  for (const tick of ticks(bottom, high)) {
    parts.push(
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/>`,
      `<text x="${margin.left - 6}" y="${y(tick) + 4}" text-anchor="end">${label(tick)}</text>`,
    );
  }
  for (const tick of ticks(first, last)) {
    parts.push(`<text x="${x(tick)}" y="${height - margin.bottom + 16}" text-anchor="middle">${label(tick)}</text>`);
  }
  distinct.forEach((line, n) => {
    const points = line.flatMap((v, i) => (Number.isFinite(v) ? [`${x(first + i)},${y(v)}`] : []));
    parts.push(
      `<polyline fill="none" stroke="${colors[n % colors.length]}" stroke-width="1.5" points="${points.join(' ')}"/>`,
    );
  });
  return `${parts.join('\n')}\n</svg>\n`;
}
