/** `completion`: the script for a shell. */
import type { Command, Invocation, Io } from "./command.ts";
import { offersOf, type Offers } from "./completion-places.ts";
import { bashScript, fishScript, powershellScript, zshScript } from "./completion-scripts.ts";
import { print } from "./print.ts";

const scripts: ReadonlyMap<string, (offers: Offers) => string> = new Map([
  ["bash", bashScript],
  ["zsh", zshScript],
  ["fish", fishScript],
  ["powershell", powershellScript],
]);

export async function printCompletion(
  { operands: [shell = ""] }: Invocation,
  io: Io,
  commands: readonly Command[],
): Promise<number> {
  const script = scripts.get(shell);
  if (script !== undefined) await print(io, script(offersOf(commands)));
  return 0;
}
