/** What is copied goes to the clipboard, and the page says so. */
import { say } from "./notice.ts";

export function copied(text: string): void {
  const refused = "The browser does not let this page copy; select the text instead";
  if (!("clipboard" in navigator)) return say(refused, true);
  navigator.clipboard.writeText(text).then(
    () => say("Copied"),
    () => say(refused, true),
  );
}
