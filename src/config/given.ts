/** Values as they were given, before they are checked. */
import type { OptionName } from "./options.ts";
import type { StructureName } from "./structures.ts";

/** All that a configuration file may say. */
export type GivenName = OptionName | "agent" | StructureName;

/** `default`, or the file, variable or flag that a value was given by. */
export type Origin = string;

export interface Given {
  readonly value: unknown;
  readonly origin: Origin;
  /** How an error message names it: `--store`, `ACP_SIDECAR_STORE`, or `"store"` and its file. */
  readonly label: string;
}

export type GivenValues = Map<GivenName, Given>;
