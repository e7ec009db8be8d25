import { defineConfig } from 'vitest/config';
import { config } from './vitest.config.js';

export default defineConfig(config('built'));
