import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './test/support/reporter.ts'],
    globalSetup: './test/support/leaks.ts',
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.ts'],
          exclude: ['test/kernel/**', 'test/v2/**'],
          maxWorkers: '100%',
        },
      },
      {
        extends: true,
        // A process a file, and one at a time: they look at the whole host's mounts, links and processes.
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        // The launcher once more, built with the sanitizers.
        test: {
          name: 'asan',
          include: ['test/kernel/**/*.test.ts'],
          exclude: [
            'test/kernel/course/**',
            'test/kernel/image/**',
            'test/kernel/peers.test.ts',
            'test/kernel/oci/{podman/**,containerd*}',
          ],
          globalSetup: './test/support/asan.ts',
          env: { TSLAB_LAUNCHER: resolve('native/build/launch-asan') },
          fileParallelism: false,
          testTimeout: 30_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: { name: 'v2', include: ['test/v2/**/*.test.ts'], sequence: { groupOrder: 2 } },
      },
    ],
  },
});
