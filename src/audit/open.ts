/** The audit log that a configuration asks for. */
import { silentLogger, type Logger } from "../base/log.ts";
import type { Secrets } from "../base/secrets.ts";
import type { Config } from "../config/config.ts";
import { defaults } from "../config/options.ts";
import { defaultAuditFile, surroundings, type Surroundings } from "../config/paths.ts";
import { principalName } from "../config/principal.ts";
import { noAudit, type Audit } from "./audit.ts";
import { AuditLog } from "./log.ts";

export type AuditConfig = Partial<
  Pick<
    Config,
    "audit" | "auditFile" | "auditBytes" | "auditFiles" | "identity" | "encryptionKey" | "auditSigningKey"
  >
>;

export interface AuditParts {
  /** Who speaks to us: a client, a person at a shell; a program, unless told. */
  readonly via?: "acp" | "command" | "http" | "library";
  readonly env?: Surroundings["env"];
  readonly secrets?: Secrets;
  readonly log?: Logger;
}

/** Where a configuration has it; undefined for a user without a home. */
export function auditFileOf(
  { auditFile }: Pick<AuditConfig, "auditFile">,
  env?: Surroundings["env"],
): string | undefined {
  return auditFile ?? defaultAuditFile(surroundings(env));
}

/** Nothing is opened before the first record is written. */
export function openAudit(
  config: AuditConfig,
  { via = "library", env, secrets, log = silentLogger }: AuditParts = {},
): Audit {
  const { audit, auditBytes, auditFiles } = { ...defaults, ...config };
  if (audit === "off") return noAudit;
  return new AuditLog({
    file: auditFileOf(config, env),
    isRequired: audit === "required",
    who: principalName(config),
    place: principalName({}),
    via,
    maxBytes: auditBytes,
    maxFiles: auditFiles,
    // What was said in an encrypted store is nowhere else in plain text.
    showsTitles: config.encryptionKey === undefined,
    signingKey: config.auditSigningKey,
    log,
    ...(secrets && { secrets }),
  });
}
