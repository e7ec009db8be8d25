/**
 * JavaScript for scripts of tests: `relativeError(expected, got)` of two lists of arrays of numbers is the largest difference
 * between two numbers, as a part of the largest number of its array (or of `least`); Infinity where a NaN is.
 */
export const relativeError = `
  const relativeError = (expected, got, least = 0) => {
    if (expected.length !== got.length) throw new Error(got.length + ' results instead of ' + expected.length);
    return Math.max(...expected.map((values, i) => {
      let scale = least, error = 0;
      for (let k = 0; k < values.length; k++) {
        scale = Math.max(scale, Math.abs(values[k]));
        error = Math.max(error, Math.abs(values[k] - got[i][k]));
        if (Number.isNaN(got[i][k])) error = Infinity;
      }
      return error / scale;
    }));
  };`;
