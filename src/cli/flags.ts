/** Flags that several commands have. */
import type { Flag } from "./command.ts";

export const colorFlag: Flag = {
  name: "color",
  value: "auto|always|never",
  help: "colours (default: auto, on a terminal)",
};
