/** Whether all of a run happens in stores that are encrypted: its key is a variable, for every process that takes part. */
import { randomBytes } from "node:crypto";
import type { Encryption } from "../../../src/store/open-encrypted.ts";

const variable = "TORTURE_STORE_KEY";

export function encryptAll(): void {
  process.env[variable] = randomBytes(32).toString("hex");
}

export function encryption(): Encryption {
  return process.env[variable] === undefined ? {} : { encryptionKey: `env:${variable}` };
}

/** What a sidecar is told of it. */
export function encryptionVariables(): NodeJS.ProcessEnv {
  const { encryptionKey } = encryption();
  return encryptionKey === undefined ? {} : { ACP_SIDECAR_ENCRYPTION_KEY: encryptionKey };
}
