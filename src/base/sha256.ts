/** SHA-256 of a text's UTF-8, in hex. */
import crypto from "node:crypto";

/** Node's own in one step, at half the cost; Node 20.11 and older have none. */
const inOneStep = crypto.hash as typeof crypto.hash | undefined;

export function sha256Of(text: string): string {
  return inOneStep === undefined
    ? crypto.createHash("sha256").update(text).digest("hex")
    : inOneStep("sha256", text, "hex");
}
