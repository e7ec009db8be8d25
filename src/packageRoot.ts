/**
 * The package's folder. The built library is one file (scripts/bundle.js), so that a path relative to any other module would
 * be right in src/ alone: this one and dist/library.js both lie one folder below the root.
 */
export const packageRoot = new URL('..', import.meta.url);
