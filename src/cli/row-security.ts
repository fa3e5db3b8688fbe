/** `row-security`: PostgreSQL sees to it that each role has its own rows. */
import { rowSecurityOf, rowSecurityOff, rowSecurityOn, type RowSecurity } from "../care/row-security.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { oneLine, print, printJson } from "./print.ts";

type Act = (url: string, roles: readonly string[]) => Promise<RowSecurity>;
const acts: Readonly<Record<string, Act>> = { on: rowSecurityOn, off: rowSecurityOff, status: rowSecurityOf };

export async function rowSecurity(invocation: Invocation, io: Io): Promise<number> {
  const { operands, flags } = invocation;
  const { config } = await configOf(invocation, io);
  const { roles: named } = flags;
  const wanted = typeof named === "string" ? named.split(",").map((role) => role.trim()) : [];
  const { isOn, roles } = await (acts[operands[0] ?? ""] ?? rowSecurityOf)(config.store, wanted);
  const who = roles.length === 0 ? "no role but its owner" : roles.join(", ");
  if (flags["json"]) await printJson(io, { isOn, roles });
  else
    await print(
      io,
      oneLine(
        `Row security is ${isOn ? "on: each role has its own rows" : "off"}; the store may be used by ${who}`,
      ) + "\n",
    );
  return 0;
}
