/** How the table of commands names their code. */
import type { Command } from "./command.ts";
import type * as ToolsModule from "./tools.ts";

export const none = { min: 0, max: 0 };

/** All except `serve` are loaded together: every further split would also split what `serve` loads. */
export function tool(name: Exclude<keyof typeof ToolsModule, "printCompletion">): Command["run"] {
  return async (invocation, io) => (await import("./tools.ts"))[name](invocation, io);
}
