/** A process that records: `node child.js MODE FILE COUNT NAME [BYTES FILES]`. */
import { rmSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { openAudit } from "../../src/audit/open.ts";
import { LogFile } from "../../src/audit/file.ts";
import { AuditLog } from "../../src/audit/log.ts";
import { silentLogger } from "../../src/base/log.ts";

const [, , mode = "", file = "", count = "0", name = "", bytes = "1073741824", files = "10"] = process.argv;
const said: string[] = [];
const log = {
  ...silentLogger,
  warn: (fields: object, text: string) => void said.push(`${text} ${JSON.stringify(fields)}`),
};

function opened(isRequired: boolean): AuditLog {
  return new AuditLog({
    file,
    isRequired,
    who: name,
    place: name,
    via: "library",
    showsTitles: true,
    maxBytes: Number(bytes),
    maxFiles: Number(files),
    log,
  });
}

const report = (facts: object) => writeSync(1, `${JSON.stringify(facts)}\n`);
const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => "done",
    (error: unknown) => `${(error as { code: string }).code}: ${(error as Error).message}`,
  );

/** Each is acknowledged when it is on the disk. */
async function record(): Promise<void> {
  const audit = opened(true);
  for (let at = 1; at <= Number(count); at += 1) {
    await audit.noted({
      what: "session.rename",
      session: `${name}:${at}`,
      facts: { long: "x".repeat(at % 190) },
    });
    writeSync(1, `${at}\n`);
  }
  await audit.close();
  report({ said });
}

/** Many at once, as they come. */
async function burst(): Promise<void> {
  const audit = opened(false);
  for (let at = 1; at <= Number(count); at += 1) {
    audit.note({ what: "session.rename", session: `${name}:${at}` });
    if (at % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await audit.close();
  report({ said });
}

/** The disk fills up, and has room again. */
async function fullDisk(): Promise<void> {
  const ballast = path.join(path.dirname(file), "ballast");
  const [required, easy] = [opened(true), opened(false)];
  const deed = { what: "session.rename", session: "s" } as const;
  const before = await codeOf(required.noted(deed));
  for (let size = 1 << 22; size >= 1; size >>= 1) {
    for (;;) {
      try {
        writeFileSync(ballast, Buffer.alloc(size), { flag: "a" });
      } catch {
        break;
      }
    }
  }
  const refusals: string[] = [];
  for (let at = 0; at < 60; at += 1)
    refusals.push(await codeOf(required.around(deed, async () => undefined)));
  const goesOn = await codeOf(easy.around(deed, async () => undefined));
  await new Promise((resolve) => setTimeout(resolve, 700));
  rmSync(ballast);
  const after = await codeOf(required.noted(deed));
  const onceMore = await codeOf(easy.around(deed, async () => undefined));
  await Promise.all([required.close(), easy.close()]);
  const { verifyLog } = await import("../../src/audit/verify.ts");
  report({ before, refusals, goesOn, after, onceMore, said, found: await verifyLog(file) });
}

/** A folder that may not be written. */
async function readOnly(): Promise<void> {
  const required = openAudit({ audit: "required", auditFile: file }, { log });
  const easy = openAudit({ auditFile: file }, { log });
  const deed = { what: "session.rename" } as const;
  const refused = await codeOf(required.around(deed, async () => undefined));
  const goesOn = [await codeOf(easy.around(deed, async () => undefined))];
  await new Promise((resolve) => setTimeout(resolve, 700));
  goesOn.push(await codeOf(easy.around(deed, async () => undefined)));
  await Promise.all([required.close(), easy.close()]);
  report({ refused, goesOn, said });
}

/** Whoever reads meanwhile cannot have the lock: each record fills a file. */
function alone(): void {
  const own = (what: string, facts: object) => `"what":"${what}","facts":${JSON.stringify(facts)}`;
  const log = new LogFile({ file, maxBytes: Number(bytes), maxFiles: Number(files), own });
  report({ begun: true });
  for (let at = 1; at <= Number(count); at += 1)
    log.append([`"what":"session.rename","session":"${name}:${at}"`]);
  log.close();
}

const modes: Readonly<Record<string, () => void | Promise<void>>> = {
  record,
  burst,
  fullDisk,
  readOnly,
  alone,
};
await modes[mode]?.();
