/** What an option is. A leaf: types only. */
import type { Config } from "./config.ts";

/** What a value may be, with its bounds: enough for help, error messages and the schema. */
export type OptionKind =
  | { readonly type: "url" }
  | { readonly type: "path" }
  /** Where a key comes from, or several do. */
  | { readonly type: "key" | "keys" }
  /** Principals' names. */
  | { readonly type: "name" | "names" }
  | { readonly type: "choice"; readonly values: readonly [string, ...string[]] }
  | { readonly type: "duration" | "size" | "count"; readonly min: number; readonly max: number }
  /** A duration, or "off", which 0 means too. */
  | { readonly type: "optionalDuration"; readonly min: number; readonly max: number };

export interface Option {
  readonly kind: OptionKind;
  readonly help: string;
  /** Where its value stands in the configuration. */
  readonly key: keyof Config | "agentRestart.attempts" | "agentRestart.backoffMs";
  /** In milliseconds or bytes. Absent where it depends on the platform, or where there is none. */
  readonly default?: string | number;
  /** What "off" is in the configuration, if it is not that nothing stands there. */
  readonly off?: number;
}
