/** The library: sessions, stores and the sidecar itself for programs. Named exports only. */
export type { Config } from "./config/config.ts";
export { isSidecarError, SidecarError, type ErrorCode, type ErrorData } from "./base/errors.ts";
export {
  textOf,
  type AudioBlock,
  type ContentBlock,
  type ImageBlock,
  type ResourceBlock,
  type ResourceLinkBlock,
  type TextBlock,
} from "./acp/content.ts";
export type { Json } from "./base/json.ts";
export { createLogger, silentLogger, type Logger } from "./base/log.ts";
export { isSessionId, newSessionId, toSessionId, type SessionId } from "./base/ids.ts";
export { runSidecar, type SidecarConfig, type SidecarIo } from "./sidecar.ts";
export { exportSession, type ExportOptions, type SessionExport } from "./history/export/export.ts";
export type { ExportFormat } from "./history/export/formats.ts";
export type * from "./session/events.ts";
export type * from "./session/happenings.ts";
export type { Message, NewMessage, Role } from "./session/messages.ts";
export type { NewSummary } from "./session/summaries.ts";
export type { Audit, AuditFacts, AuditedDeed, AuditOutcome, Deed, Ended } from "./audit/audit.ts";
export { newSigningKey, signHead, verifyHead, type Head } from "./audit/heads.ts";
export { openAudit, type AuditConfig, type AuditParts } from "./audit/open.ts";
export { SessionRegistry } from "./session/registry.ts";
export { isSuperseded, type Stretch } from "./session/rewinds.ts";
export type { CompactionEffect, CompactionUndone, CompactOptions } from "./session/compaction.ts";
export type { Archived, CountFilter, ListQuery } from "./session/archived.ts";
export type { RegistryStats } from "./session/figures.ts";
export type { RegistryOptions, SessionInit } from "./session/registry-options.ts";
export type { SearchRole } from "./history/search/entry-text.ts";
export type { FoundSession, Hit } from "./history/search/hits.ts";
export type { CaughtUp } from "./history/search/catch-up.ts";
export { Searcher, searchSessions } from "./history/search/search.ts";
export type { SearchOptions, SearchPlace, SearchResult } from "./history/search/search.ts";
export type { SnippetPart } from "./history/search/snippet.ts";
export { openLayers, type LayersOptions } from "./store/open.ts";
export type { Encryption } from "./store/open-encrypted.ts";
export { openGuarded as openStore, type Identification } from "./store/guarded/open.ts";
export type { Access, Rights } from "./store/guarded/access.ts";
export type { AccessNews } from "./store/guarded/guard.ts";
export type { Share } from "./store/guarded/marks.ts";
export type { Permission, Scope } from "./store/guarded/permissions.ts";
export { guardedStore } from "./store/guarded/store.ts";
export { createToken, listTokens, revokeToken, tokenGrant } from "./store/guarded/tokens.ts";
export type { Token, TokenWish } from "./store/guarded/tokens.ts";
export { Keyring } from "./store/encrypted/keyring.ts";
export { encryptedStore } from "./store/encrypted/store.ts";
export type * from "./store/contract.ts";
export type { TextIndex } from "./store/text-index.ts";
// What an author of a store needs, beside the suite in acp-sidecar/conformance.
export type { StoreDriver } from "./store/driver.ts";
export { decodeCursor, encodeCursor, listOrder, matches, pageOf, pageSize, toPage } from "./store/query.ts";
export type { ListPlace } from "./store/query.ts";
export { sealedWhileRead, sessionExists, sessionNotFound } from "./store/refusals.ts";
export {
  checkAppend,
  checkFork,
  checkLease,
  checkReadOn,
  checkRewrite,
  checkSeal,
  holds,
  isInForce,
  leaseFor,
  takeLease,
} from "./store/rules.ts";
export { defineStore, wrapStore } from "./store/shell.ts";
export { discover, type Discovery, type DiscoveryOptions } from "./context/discovery.ts";
export { DiscoveryCache, type CacheLimits } from "./context/discovery-cache.ts";
export type { ContextFile } from "./context/context-file.ts";
export {
  SessionContext,
  type ContextUpdate,
  type ContextView,
  type DiffRange,
  type SessionContextOptions,
} from "./context/session-context.ts";
export type { ContextDiff } from "./context/diff.ts";
export type { FileSince } from "./context/since.ts";
export { importHistory, type ImportOptions, type ImportResult, type Told } from "./history/import/run.ts";
export { isSource, sources, type Source, type SourceName } from "./history/import/sources.ts";
export { watchHistory, type WatchOptions } from "./history/import/watch.ts";
export type * from "./history/import/native.ts";
