import type * as schema from "./schema.js";

export type * as schema from "./schema.js";

export interface Options {
  /** Access token, if the server needs one. */
  token?: string;
  /** Repeated requests after failures of the network or overload; 4 by default. */
  retries?: number;
  fetch?: typeof fetch;
}

export interface Event {
  /** Resume token: store it with what you made of the event. */
  token: string;
  position: number;
  type: string;
  entity: string;
  /** The event as recorded (CloudEvents 1.0). */
  entry: Record<string, unknown>;
}

export interface EventOptions {
  after?: string | number;
  /** False: end at the present head. */
  follow?: boolean;
  signal?: AbortSignal;
  types?: string;
  commodity?: string;
  place?: string;
  entity?: string;
  limit?: string | number;
}

export interface Table {
  /** Moment, digest, completeness, licence, citation and permanent address. */
  about: Record<string, string>;
  /** Decimals are texts; null means that nothing is recorded. */
  rows: Array<Record<string, unknown>>;
}

type Arguments = Record<string, unknown>;

export class TrackerError extends Error {
  code: string;
  path: string;
  status: number;
  /** Seconds until the next attempt, as the server stated; else 0. */
  retryAfter: number;
}

export class Tracker {
  constructor(url: string, options?: Options);
  query<Data = Record<string, unknown>>(document: string, variables?: Arguments): Promise<Data>;
  asOf(validAt?: string, position?: string | number): AsOf;
  events(options?: EventOptions): AsyncGenerator<Event, void, undefined>;
}

export class AsOf {
  moment(): Promise<{ validAt: string; position: string }>;
  select<Field extends keyof schema.AsOf>(
    field: Field, fields?: string, given?: Arguments): Promise<schema.AsOf[Field]>;
  pages<Node = Record<string, unknown>>(
    field: keyof schema.AsOf, fields: string, given?: Arguments): AsyncGenerator<Node, void, undefined>;
  exportControl(key: string, fields?: string): Promise<schema.ExportControl | null>;
  alliance(key: string, fields?: string): Promise<schema.Alliance | null>;
  announcement(key: string, fields?: string): Promise<schema.Announcement | null>;
  figure(key: string, fields?: string): Promise<schema.Figure | null>;
  exportControls(filters?: Arguments, fields?: string): AsyncGenerator<schema.ExportControl, void, undefined>;
  alliances(filters?: Arguments, fields?: string): AsyncGenerator<schema.Alliance, void, undefined>;
  announcements(filters?: Arguments, fields?: string): AsyncGenerator<schema.Announcement, void, undefined>;
  claims(filters?: Arguments, fields?: string): AsyncGenerator<schema.Claim, void, undefined>;
  upcoming(filters?: Arguments, fields?: string): AsyncGenerator<schema.Transition, void, undefined>;
  shipment(input: schema.ShipmentInput, fields?: string): Promise<schema.ShipmentCheck>;
  table(name: string, parameters?: Record<string, string>): Promise<Table>;
  receiptAddress(path: string, parameters?: Record<string, string>): Promise<string>;
}
