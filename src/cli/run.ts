/** One run of the program, from its words to its exit status. */
import { SidecarError, reasonOf } from "../base/errors.ts";
import { visibleLine } from "../base/visible.ts";
import { withWaysOut } from "../session/ways-out.ts";
import type { Io } from "./command.ts";
import { Interrupted, interruptedStatus } from "./interrupt.ts";
import { parseCommandLine } from "./parse.ts";

function widthOf({ columns }: Io): { readonly width?: number } {
  return columns === undefined ? {} : { width: columns };
}

/** Never rejects: a failure is one line on `io.errors` and its exit status. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    const parsed = parseCommandLine(argv);
    switch (parsed.kind) {
      case "version":
        io.output.write(`${(await import("../base/version.ts")).version}\n`);
        return 0;
      case "help":
        io.output.write(
          (await import("./help.ts")).helpText(parsed.topic, { all: parsed.all, ...widthOf(io) }),
        );
        return 0;
      case "run":
        return await parsed.command.run(parsed.invocation, {
          ...io,
          isJson: ["json", "jsonl"].some((form) => parsed.invocation.flags[form] === true),
        });
    }
  } catch (error) {
    // It may quote an agent, or a file's name, in which there may be the end of a line.
    const reason = error instanceof SidecarError ? withWaysOut(error, "request") : reasonOf(error);
    io.errors.write(`acp-sidecar: ${visibleLine(reason)}\n`);
    if (error instanceof Interrupted) return interruptedStatus;
    if (error instanceof SidecarError) return error.exitStatus;
    // Ours to mend: whoever reports it needs to know where it happened.
    if (error instanceof Error) io.errors.write(`${error.stack}\n`);
    return 1;
  }
}
