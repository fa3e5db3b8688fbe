/** `token create`, `ls` and `revoke`: secrets that stand for whoever made them, with less than they may. */
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import type { Token } from "../store/guarded/tokens.ts";
import { scopes, type Scope } from "../store/guarded/permissions.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { countText, oneLine, print, printJson, timeText } from "./print.ts";
import { sessionAt, timeFrom, withSessions } from "./sessions.ts";
import { permissionsIn } from "./sessions-share.ts";
import { printTable } from "./table.ts";

const day = 86_400_000;
const tokenTimes = { min: 60_000, max: 3650 * day };

export function createToken(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  const { name, cwd, ttl, permissions } = flags;
  if (typeof name !== "string") throw new SidecarError("USAGE", "token create needs --name NAME");
  const wish = {
    ...{ name, scope: scopeFrom(flags["scope"]) },
    ...(permissions !== undefined && { permissions: permissionsIn(permissions) }),
    ...(typeof cwd === "string" && { folder: path.resolve(cwd) }),
    ...(ttl !== undefined && { untilMs: Date.now() + timeFrom("ttl", ttl, tokenTimes) }),
  };
  const making = async (registry: SessionRegistry) => {
    const sessions: string[] = [];
    for (const address of addressesIn(flags["session"]))
      sessions.push((await sessionAt(registry, address, io)).id);
    const { token, secret } = await registry.sharing.tokens.create({
      ...wish,
      ...(sessions.length > 0 && { sessions }),
    });
    if (flags["json"]) await printJson(io, { ...token, secret });
    else {
      await print(io, `${secret}\n`);
      const note = `Token ${token.id} (${token.name}): it is shown this once; keep it where only you can read it`;
      if (io.isTerminal === true) io.errors.write(oneLine(note) + "\n");
    }
    return 0;
  };
  return withSessions(invocation, io, making, { ifAbsent: "make" });
}

export function listTokens(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(
    invocation,
    io,
    async (registry) => {
      const tokens = await registry.sharing.tokens.list();
      if (invocation.flags["json"]) await printJson(io, tokens);
      else if (tokens.length === 0) await print(io, "No tokens\n");
      else await printTable(io, ["ID", "NAME", "SCOPE", "MAY", "WHERE", "FOR", "UNTIL"], tokens.map(rowOf));
      return 0;
    },
    { ifAbsent: "imagine" },
  );
}

export function revokeToken(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    const { id, name } = await registry.sharing.tokens.revoke(invocation.operands[0] ?? "");
    if (invocation.flags["json"]) await printJson(io, { id, name });
    else await print(io, oneLine(`Revoked ${id} (${name})`) + "\n");
    return 0;
  });
}

function rowOf({ id, name, scope, permissions, sessions, folder, principal, untilMs }: Token): string[] {
  const where = [
    ...(sessions === undefined ? [] : [countText(sessions.length, "session")]),
    ...(folder === undefined ? [] : [folder]),
  ];
  return [
    ...[id, name, scope, permissions.join(", "), where.join(" in ") || "everywhere", principal ?? "–"],
    untilMs === undefined ? "–" : timeText(untilMs),
  ];
}

function addressesIn(text: string | true | undefined): readonly string[] {
  return typeof text === "string" ? text.split(",").map((each) => each.trim()) : [];
}

/** Errors: `USAGE`. */
function scopeFrom(text: string | true | undefined): Scope {
  if (typeof text === "string" && Object.hasOwn(scopes, text)) return text as Scope;
  const wrong = text === undefined ? "token create needs --scope" : `--scope is ${JSON.stringify(text)}`;
  throw new SidecarError("USAGE", `${wrong}; allowed: ${Object.keys(scopes).join(", ")}`);
}
