/** Colours, where a terminal shows them and nobody has switched them off. https://no-color.org, https://force-color.org */
import { SidecarError } from "../base/errors.ts";
import type { Invocation, Io } from "./command.ts";

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Style = { readonly [Name in keyof typeof codes]: (text: string) => string };

/** Errors: `USAGE` for a `--color` that is none of its values. */
export function styleFor({ flags }: Invocation, io: Io): Style {
  const isOn = isColoured(flags["color"] ?? "auto", io);
  const entries = Object.entries(codes).map(([name, [on, off]]) => [
    name,
    (text: string) => (isOn && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text),
  ]);
  return Object.fromEntries(entries) as Style;
}

function isColoured(asked: string | true, { env, columns }: Io): boolean {
  if (asked === "always" || asked === "never") return asked === "always";
  if (asked !== "auto") {
    throw new SidecarError("USAGE", `--color is ${JSON.stringify(asked)}; allowed: auto, always, never`);
  }
  if (env["NO_COLOR"]) return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  return columns !== undefined && env["TERM"] !== "dumb";
}
