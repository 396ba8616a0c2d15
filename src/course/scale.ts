/** How much longer than usual things take on this machine: time limits grow with it, and never shrink. */
import { spawnSync } from 'node:child_process';

/** A Node that does nothing starts in this many milliseconds on the machine where the limits were chosen. */
const usual = 50;
let measured: number | undefined;

/** From 1 to 10. Measured once, when first asked for. */
export function timeScale(): number {
  measured ??= Math.min(10, Math.max(1, startOfNode() / usual));
  return measured;
}

function startOfNode(): number {
  const begun = performance.now();
  spawnSync(process.execPath, ['-e', '0'], { env: {}, stdio: 'ignore' });
  return performance.now() - begun;
}
