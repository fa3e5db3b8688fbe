/** Every command but `serve`, loaded as one. */
export { printCompletion } from "./completion.ts";
export { initConfig, printConfigPath } from "./config-file.ts";
export { printConfig } from "./config.ts";
export { demo } from "./demo.ts";
export { doctor } from "./doctor.ts";
export { backup, migrate, restore } from "./migrate.ts";
export { exportSessions } from "./export.ts";
export { searchSessions } from "./search.ts";
export { listSessions } from "./sessions-ls.ts";
export { moveSession } from "./sessions-move.ts";
export { collectSessions } from "./sessions-gc.ts";
export { restoreSessions } from "./sessions-restore.ts";
export { removeSessions } from "./sessions-rm.ts";
export { showSession } from "./sessions-show.ts";
export { showTools } from "./sessions-tools.ts";
export { showTree } from "./sessions-tree.ts";
export { storeStats } from "./sessions-stats.ts";
export { verify } from "./verify.ts";
