// Where the charts come from: ECharts, an optional peer. One build of it draws here and in the reader's browser.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ArgumentError } from '../errors.js';
import { reasonOf } from '../io/file.js';

/** What is used of ECharts. */
interface ECharts {
  readonly version: string;
  init(
    element: null,
    theme: null,
    options: { renderer: 'svg'; ssr: true; width: number; height: number },
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
}

const BUILD = 'echarts/dist/echarts.common.min.js';
const require = createRequire(import.meta.url);
let source: string | undefined;

function missing(op: string, error: unknown): ArgumentError {
  return new ArgumentError(
    `${op}: charts need the package echarts, version 6, which could not be loaded (${reasonOf(error).split('\n')[0]}); run: npm install echarts`,
    { cause: error },
  );
}

/** The library, loaded when first needed. */
function echarts(op: string): ECharts {
  try {
    return require(BUILD) as ECharts;
  } catch (error) {
    throw missing(op, error);
  }
}

/** The library's text for a browser, license and all. */
export function echartsSource(op: string): string {
  try {
    source ??= readFileSync(require.resolve(BUILD), 'utf8');
  } catch (error) {
    throw missing(op, error);
  }
  return source;
}

/** An ECharts option drawn as an SVG document. */
export function drawSvg(op: string, option: object, width: number, height: number): string {
  const drawing = echarts(op).init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    drawing.setOption(option);
    return drawing.renderToSVGString();
  } finally {
    drawing.dispose();
  }
}
