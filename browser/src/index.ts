export { createSession } from "./session.ts";
export type {
  DataChange,
  Device,
  LiveState,
  Message,
  Options,
  Scope,
  Session,
  SessionEvents,
} from "./session.ts";
export type { Snapshot } from "./snapshot.ts";
export type { ActiveStatus, EndedStatus, NoStatus, Reason, Status, Transport } from "./status.ts";
export type { Changes, DataVerbs, KeyOf } from "./data.ts";
export type { Json } from "./json.ts";
export type { Tick } from "./countdown.ts";
export type { Stop } from "./emitter.ts";
export type { Channel, Environment, PageEvent } from "./environment.ts";
export { isSojournError, SojournError } from "./errors.ts";
export type { ErrorCode, Problem, WireCode } from "./errors.ts";
