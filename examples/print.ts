/** How the examples tell what they do: chapters, and facts that are checked as they are printed. */

export function chapter(title: string): void {
  console.log(`\n${title}\n${"-".repeat(title.length)}`);
}

/** Prints what should be so, and ends the example with status 1 at the end if it is not. */
export function fact(text: string, isSo: boolean): void {
  console.log(`  ${isSo ? "ok " : "NOT"} ${text}`);
  if (!isSo) process.exitCode = 1;
}

/** Does what should be refused, and gives the code of the refusal. */
export async function refusalOf(doing: Promise<unknown>): Promise<string> {
  try {
    await doing;
    return "nothing";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
