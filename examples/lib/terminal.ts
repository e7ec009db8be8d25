// Pictures of characters: two pixels above each other are one half block.

const UPPER_HALF = '\u2580';
const LOWER_HALF = '\u2584';
const FULL = '\u2588';

/** MNIST's digits lie in the middle of 28 x 28 pixels; hardly any reaches the outer two. */
const SIDE = 28;
const MARGIN = 2;
const WIDTH = SIDE - 2 * MARGIN;

/** Grey values 0 to 1 become the 24 steps of grey of a 256-colour terminal. */
function grey(value: number): number {
  return 232 + Math.round(Math.max(0, Math.min(1, value)) * 23);
}

/** Without colours a pixel is on or off. */
function halfBlock(top: boolean, bottom: boolean): string {
  if (top) return bottom ? FULL : UPPER_HALF;
  return bottom ? LOWER_HALF : ' ';
}

/** The lines of one digit: its middle 24 x 24 pixels in 24 columns and 12 lines. */
export function drawDigit(pixels: ArrayLike<number>, colour: boolean): string[] {
  const lines: string[] = [];
  for (let y = MARGIN; y < SIDE - MARGIN; y += 2) {
    let line = '';
    let last = '';
    for (let x = MARGIN; x < SIDE - MARGIN; x++) {
      const top = pixels[y * SIDE + x] ?? 0;
      const bottom = pixels[(y + 1) * SIDE + x] ?? 0;
      if (colour) {
        const code = `\x1b[38;5;${grey(top)};48;5;${grey(bottom)}m`;
        line += (code === last ? '' : code) + UPPER_HALF;
        last = code;
      } else {
        line += halfBlock(top > 0.4, bottom > 0.4);
      }
    }
    lines.push(colour ? `${line}\x1b[0m` : line);
  }
  return lines;
}

/** How many digits fit beside each other. */
export function digitsPerRow(columns: number = process.stdout.columns || 80): number {
  return Math.max(1, Math.min(8, Math.floor((columns + 2) / (WIDTH + 2))));
}

/** Digits beside each other, each with a caption below. */
export function drawRow(
  digits: readonly { pixels: ArrayLike<number>; caption: string }[],
  colour: boolean = Boolean(process.stdout.isTTY) && !process.env['NO_COLOR'],
): string {
  const pictures = digits.map(({ pixels }) => drawDigit(pixels, colour));
  const lines = Array.from({ length: WIDTH / 2 }, (_, row) => pictures.map((lines) => lines[row]).join('  '));
  const captions = digits.map(({ caption }) => caption.padEnd(WIDTH)).join('  ');
  return [...lines, captions].map((line) => line.trimEnd()).join('\n');
}
