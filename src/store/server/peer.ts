/** Optional peer packages: loaded when a URL asks for them, missed with advice. */
import { SidecarError, systemCodeOf } from "../../base/errors.ts";

/** Errors: `STORE_UNAVAILABLE` when the package is not installed. */
export async function loadPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new SidecarError(
      "STORE_UNAVAILABLE",
      `This store needs the package ${name}, which is not installed; run: npm install ${name}`,
      { data: { package: name }, cause },
    );
  }
}

function isMissing(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}
