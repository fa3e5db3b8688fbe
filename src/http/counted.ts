/** Requests as they count: by the route that answers, never by the address that was asked for. */
import type { Counting } from "../base/meter.ts";
import { problemOf } from "./problems.ts";
import type { RouteFacts } from "./route.ts";

type Counted = Partial<Pick<RouteFacts, "path" | "name">>;

/** @param route without a path: there is none for the request */
export async function counted(
  meter: Counting,
  { path = "other", name }: Counted,
  { method }: Pick<Request, "method">,
  answer: () => Response | Promise<Response>,
): Promise<Response> {
  const beganMs = performance.now();
  let status = 500;
  try {
    const found = await answer();
    ({ status } = found);
    return found;
  } catch (error) {
    ({ status } = problemOf(error));
    throw error;
  } finally {
    meter.add("httpRequests", `${path} ${method} ${Math.floor(status / 100)}xx`);
    // How long an agent takes says nothing of us.
    if (name !== "prompt") meter.time("httpRequest", path, (performance.now() - beganMs) / 1000);
  }
}
