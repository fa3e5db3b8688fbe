/** What the file of an exported session is called. */
import type { SessionRecord } from "../../store/contract.ts";
import { fileEnds, type ExportFormat } from "./formats.ts";

/** No date of JavaScript is later, and years of five digits are no names. */
const latestMs = Date.UTC(9999, 11, 31);

/** `2026-01-31-mend-the-test-7QK4ZP.md`: by its day and title, and unlike any other. Letters, digits and dashes only. */
export function exportFileName(
  { id, title = "", createdAtMs }: Pick<SessionRecord, "id" | "title" | "createdAtMs">,
  format: ExportFormat,
): string {
  const day = new Date(Math.min(Math.max(0, createdAtMs), latestMs)).toISOString().slice(0, 10);
  const words = title
    .slice(0, 200)
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")
    .slice(0, 40)
    .replace(/^-|-$/g, "");
  return `${[day, words, id.slice(-8)].filter((part) => part !== "").join("-")}${fileEnds[format]}`;
}
