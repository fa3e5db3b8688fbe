/** Every harness by its name. */
import { damagedPage, truncatedFile } from "./harness/damage.ts";
import { diskFull, ioError, lockHeld, serverGone } from "./harness/faults.ts";
import { fuzzWire } from "./harness/fuzz-wire.ts";
import { killAgent } from "./harness/kill-agent.ts";
import { killEditor } from "./harness/kill-editor.ts";
import { killSidecar } from "./harness/kill-sidecar.ts";
import { powerLoss } from "./harness/power-loss.ts";
import { twoWriters } from "./harness/two-writers.ts";
import { slowReader } from "./harness/slow-reader.ts";
import { soak } from "./harness/soak.ts";
import type { Harness } from "./world/report.ts";

export const harnesses: readonly Harness[] = [
  killSidecar,
  killAgent,
  killEditor,
  twoWriters,
  fuzzWire,
  slowReader,
  soak,
  powerLoss,
  diskFull,
  ioError,
  lockHeld,
  serverGone,
  damagedPage,
  truncatedFile,
];
