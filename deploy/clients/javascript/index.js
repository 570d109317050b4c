// Client of the critical-minerals policy tracker, for Node and browsers.

const RETRIED = [429, 502, 503, 504];
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
const REQUEST_MS = 30_000;
const SILENCE_MS = 45_000; // the server sends a heartbeat every 15 seconds
const PAGE_SIZE = 100;

const SOURCES = "because { position source { name url publishedOn } }";
const CONTROL = `key title issuer { code name } direction announcedOn instrument official
  clauses { key measure status statusStatement confirmation commodities { key name }
    destinations { code name } inForceFrom inForceUntil suspendedUntil returnsOn } ${SOURCES}`;
const ALLIANCE = `key name status foundedOn endedOn members { place { code name } role } ${SOURCES}`;
const ANNOUNCEMENT = `key title date kind note commodities { key name } ${SOURCES}`;
const CLAIM = `figure value upper unit qualifier publisher edition publishedOn estimated
  series { commodity { key } place { code name } statistic stage form period until }`;
const FIGURE = `key claims { ${CLAIM} } preferred { ${CLAIM} } ${SOURCES}`;
const TRANSITION = "day summary entity";
const DUTY = "{ statement low high complete notCovered }";
const SHIPMENT = `summary verdicts { kind match obligation
  clause { control { key title } clause { key } reasons exceptions firstDay lastDay } }
  importDuties ${DUTY} exportDuties ${DUTY} openQuestions { id text field }
  upcoming { day summary } assumptions disclaimer`;

/** A refusal by the server. */
export class TrackerError extends Error {
  constructor(message, { code = "", path = "", status = 200, retryAfter = 0 } = {}) {
    super(message);
    Object.assign(this, { name: "TrackerError", code, path, status, retryAfter });
  }
}

/** A server. */
export class Tracker {
  constructor(url, { token, retries = 4, fetch = globalThis.fetch } = {}) {
    this.url = url.replace(/\/+$/, "");
    this.retries = retries;
    this.headers = token ? { Authorization: `Bearer ${token}` } : {};
    this.fetch = (...given) => fetch(...given);
  }

  /** Return the data of a GraphQL query. */
  async query(document, variables = {}) {
    const body = JSON.stringify({ query: document, variables });
    const headers = { "Content-Type": "application/json" };
    const { data, errors } = await this.read("/graphql", { method: "POST", body, headers });
    if (errors?.length) throw firstError(errors);
    return data;
  }

  /** Return the answers as of a date (today), as recorded at a position (the newest one). */
  asOf(validAt, position) {
    return new AsOf(this, validAt, position);
  }

  /** Yield the events after a position or resume token ("0": all; default: new ones), each once. */
  async *events({ after, follow = true, signal, ...filters } = {}) {
    let token = String(after ?? (await this.query("{ head }")).head);
    for (let failures = 0; ; failures++) {
      try {
        for await (const event of this.#once(token, follow, filters, signal)) {
          token = event.token;
          failures = 0;
          yield event;
        }
        if (!follow) return;
        failures = 0;
      } catch (error) {
        const final = error instanceof TrackerError && !RETRIED.includes(error.status);
        if (signal?.aborted || final || failures >= this.retries) throw error;
      }
      await pause(failures);
    }
  }

  /** Yield the events of one connection. */
  async *#once(after, follow, filters, signal) {
    const silence = new AbortController();
    const abort = () => silence.abort(signal.reason);
    signal?.addEventListener("abort", abort, { once: true });
    let timer;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(new Error("the server is silent")), SILENCE_MS);
    };
    listen();
    try {
      signal?.throwIfAborted();
      const query = new URLSearchParams({ ...filters, after, follow });
      const headers = { Accept: "text/event-stream" };
      const response = await this.open(`/events?${query}`, { headers, signal: silence.signal });
      let message = {};
      for await (const line of lines(response.body, listen)) {
        const [name, ...rest] = line.split(": ");
        if (name) message[name] = rest.join(": ");
        else if ("data" in message) {
          yield readEvent(message);
          message = {};
        }
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      silence.abort();
    }
  }

  /** Return the parsed content at a path; failures of the network and overload are tried again. */
  async read(path, options = {}) {
    for (let attempt = 0; ; attempt++) {
      try {
        const signal = AbortSignal.timeout(REQUEST_MS);
        return await (await this.open(path, { signal, ...options })).json();
      } catch (error) {
        const final = error instanceof TrackerError && !RETRIED.includes(error.status);
        if (final || attempt >= this.retries) throw error;
        await pause(attempt, error.retryAfter);
      }
    }
  }

  /** Return the response of one request. */
  async open(path, options) {
    const headers = { ...this.headers, ...options.headers };
    const response = await this.fetch(`${this.url}${path}`, { ...options, headers });
    if (response.ok) return response;
    const retryAfter = Number(response.headers.get("Retry-After")) || 0;
    const { errors } = await response.json().catch(() => ({}));
    if (errors?.length) throw firstError(errors, response.status, retryAfter);
    const message = `the server returned status ${response.status}`;
    throw new TrackerError(message, { status: response.status, retryAfter });
  }
}

/** Answers as of a date. The first one fixes the position of the log for all others. */
export class AsOf {
  #moment;

  constructor(tracker, validAt, position) {
    this.tracker = tracker;
    this.given = { validAt, position: position === undefined ? undefined : String(position) };
  }

  /** Return the date and the position of all answers. */
  moment() {
    this.#moment ??= this.#resolve().catch((error) => {
      this.#moment = undefined;
      throw error;
    });
    return this.#moment;
  }

  async #resolve() {
    if (this.given.validAt && this.given.position) return this.given;
    const document = `query ($validAt: Day, $position: Position) {
      asOf(validAt: $validAt, position: $position) { validAt position } }`;
    return (await this.tracker.query(document, this.given)).asOf;
  }

  /** Return a field of `asOf`, with its arguments. */
  async select(field, fields = "", given = {}) {
    const types = (await operations())[field];
    if (!types) throw new TypeError(`asOf has no field ${field}`);
    const names = Object.keys(given).filter((name) => given[name] != null);
    const unknown = names.find((name) => !(name in types));
    if (unknown) {
      const expected = Object.keys(types).join(", ");
      throw new TypeError(`${field} has no argument ${unknown}: expected one of ${expected}`);
    }
    const declared = names.map((name) => `, $${name}: ${types[name]}`).join("");
    const passed = names.map((name) => `${name}: $${name}`).join(", ");
    const document = `query ($validAt: Day!, $position: Position!${declared}) {
      asOf(validAt: $validAt, position: $position) {
        ${field}${passed && `(${passed})`}${fields && ` { ${fields} }`} } }`;
    const { validAt, position } = await this.moment();
    return (await this.tracker.query(document, { validAt, position, ...given })).asOf[field];
  }

  /** Yield all nodes of a list of `asOf`, which is read page by page. */
  async *pages(field, fields, given = {}) {
    const selection = `nodes { ${fields} } pageInfo { hasNextPage endCursor }`;
    let after;
    do {
      const page = await this.select(field, selection, { first: PAGE_SIZE, ...given, after });
      yield* page.nodes;
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : undefined;
    } while (after);
  }

  exportControl(key, fields = CONTROL) { return this.select("exportControl", fields, { id: key }); }
  alliance(key, fields = ALLIANCE) { return this.select("alliance", fields, { id: key }); }
  announcement(key, fields = ANNOUNCEMENT) { return this.select("announcement", fields, { id: key }); }
  figure(key, fields = FIGURE) { return this.select("figure", fields, { id: key }); }
  exportControls(filters, fields = CONTROL) { return this.pages("exportControls", fields, filters); }
  alliances(filters, fields = ALLIANCE) { return this.pages("alliances", fields, filters); }
  announcements(filters, fields = ANNOUNCEMENT) { return this.pages("announcements", fields, filters); }
  claims(filters, fields = CLAIM) { return this.pages("claims", fields, filters); }
  upcoming(filters, fields = TRANSITION) { return this.pages("upcoming", fields, filters); }
  shipment(input, fields = SHIPMENT) { return this.select("shipment", fields, { input }); }

  /** Return a table with its rows and the facts about it. */
  async table(name, parameters = {}) {
    return this.tracker.read(await this.#address(`/tables/${encodeURIComponent(name)}.json`, parameters));
  }

  /** Return the address of the receipt of a page or table at this moment, such as "/controls". */
  async receiptAddress(path, parameters = {}) {
    return `${this.tracker.url}${await this.#address(`${path}.receipt`, parameters)}`;
  }

  async #address(path, parameters) {
    const { validAt, position } = await this.moment();
    return `${path}?${new URLSearchParams({ ...parameters, valid: validAt, position })}`;
  }
}

let read;

/** Return the fields of `asOf`, with the types of their arguments. */
function operations() {
  read ??= import("./operations.js").then((module) => module.default);
  return read;
}

function firstError(errors, status = 200, retryAfter = 0) {
  const [{ message, path, extensions }] = errors;
  return new TrackerError(message, { code: extensions?.code, path: path?.join("."), status, retryAfter });
}

function readEvent({ event = "message", data, id }) {
  const entry = JSON.parse(data);
  if (event !== "message") {
    throw new TrackerError(entry.message ?? data, { code: entry.extensions?.code ?? entry.code });
  }
  return { token: id, position: Number(entry.position), type: entry.type, entity: entry.subject, entry };
}

/** Yield the lines of a body, and call `listen` with each part. */
async function* lines(body, listen) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    listen();
    const parts = (text + value).split("\n");
    text = parts.pop();
    for (const part of parts) yield part.replace(/\r$/, "");
  }
}

/** Wait before another attempt, longer after each one. */
function pause(attempt, retryAfterSeconds = 0) {
  const longest = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  const time = Math.max(retryAfterSeconds * 1000, longest * (0.5 + Math.random() / 2));
  return new Promise((resolve) => setTimeout(resolve, time));
}
