/** All routes, in the order in which the document has them. */
import type { Route } from "./route.ts";
import { historyRoutes } from "./routes/history.ts";
import { sessionRoutes } from "./routes/sessions.ts";

export const routes: readonly Route[] = [...sessionRoutes, ...historyRoutes];
