/** How often each label (row) was taken for each class (column). */
export function confusionMatrix(labels: ArrayLike<number>, predictions: ArrayLike<number>, classes = 10): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = counts[labels[i]];
    const column = predictions[i];
    row[column] = (row[column] ?? 0) + 1;
  }
  return counts;
}

/** The matrix as a table, with each label's recall at the right; zeros are dots, so that mistakes stand out. */
export function formatConfusion(counts: readonly (readonly number[])[]): string {
  const width = Math.max(5, ...counts.flat().map((count) => String(count).length + 1));
  const cells = (row: readonly (string | number)[]): string => row.map((cell) => String(cell).padStart(width)).join('');
  const header = `       ${cells(counts.map((_, column) => column))}   recall`;
  const rows = counts.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const recall = total === 0 ? '-' : `${((100 * (row[label] ?? 0)) / total).toFixed(1)}%`;
    return `is ${String(label).padStart(2)}  ${cells(row.map((count) => (count === 0 ? '.' : count)))}${recall.padStart(9)}`;
  });
  return [header, ...rows].join('\n');
}
