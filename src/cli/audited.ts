/** The audit log of a command line. */
import { createLogger } from "../base/log.ts";
import type { Audit } from "../audit/audit.ts";
import { openAudit } from "../audit/open.ts";
import type { Config } from "../config/config.ts";
import type { Io } from "./command.ts";

export function auditFor(config: Config, io: Pick<Io, "errors" | "env">): Audit {
  const log = createLogger({ level: "warn", target: io.errors, readable: true });
  return openAudit(config, { via: "command", env: io.env, log });
}

/** Hands it to `use` and closes it, whatever happens. */
export async function withAudit<T>(
  config: Config,
  io: Pick<Io, "errors" | "env">,
  use: (audit: Audit) => Promise<T>,
): Promise<T> {
  const audit = auditFor(config, io);
  try {
    return await use(audit);
  } finally {
    await audit.close();
  }
}
