/** What a client says to us alone, in `_meta["acp-sidecar"]`: an agent may be a sidecar, too, and take it for its own. */
import { metaKey } from "../../acp/meta.ts";
import { isRecord } from "../../base/json.ts";

export function withoutOurs<T extends Readonly<Record<string, unknown>>>(params: T): T {
  const { _meta } = params;
  if (!isRecord(_meta) || _meta[metaKey] === undefined) return params;
  const { [metaKey]: _ours, ...others } = _meta;
  return { ...params, _meta: others };
}
