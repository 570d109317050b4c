// What the programs share: a plain request, a fact to record, and what they subscribe to.
export const CONTROLS = `query Controls($first: Int!) {
  asOf { exportControls(first: $first) { totalCount nodes { __typename id key } } } }`;
export const EVENTS = `subscription Events($after: Position) {
  events(after: $after) { position entity } }`;
export const WORLD = `subscription World($commodities: [String!]) {
  worldChanged(commodities: $commodities) { position counts { exportControls } } }`;

const ANNOUNCE = `mutation Announce($input: AnnounceExportControlInput!) {
  announceExportControl(input: $input) { position } }`;

export async function ask(url, query, variables) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

export async function announce(url, id) {
  const input = {
    id, issuer: "CN", direction: "EXPORT", title: "A ban", on: "2024-12-03",
    clauses: [{ id: "1", measure: "BAN", commodities: ["gallium"], inForceFrom: "2024-12-03" }],
    source: { publisher: "mofcom", name: "A notice", publishedOn: "2024-12-03", checked: "PAGE" },
  };
  return (await ask(url, ANNOUNCE, { input })).announceExportControl.position;
}

// The last event that was, and one that comes; what is so, and what is so then. `subscribe` gives
// an async iterable of the data of a subscription, and `Events` are asked for from before the last.
export async function follow(url, name, subscribe) {
  const after = String((await ask(url, "{ head }")).head - 1);
  const events = await two(subscribe(EVENTS, { after }), () => announce(url, `${name}-1`));
  const world = await two(subscribe(WORLD, { commodities: ["gallium"] }),
    () => announce(url, `${name}-2`));
  return {
    events: events.map(({ events }) => [events.position, events.entity]),
    world: world.map(({ worldChanged: { position, counts } }) => [position, counts.exportControls]),
  };
}

async function two(results, between) {
  const seen = [];
  for await (const data of results) {
    if (seen.push(data) === 2) return seen;
    await between();
  }
  throw new Error(`the subscription ended after ${seen.length} results`);
}

// An observer's calls as an async iterable; `start` takes the observer and returns what ends it.
export async function* iterate(start) {
  const results = [];
  let wake = () => {}, ended = false, failed;
  const end = start({
    next: (data) => { results.push(data); wake(); },
    error: (error) => { failed = error; wake(); },
    complete: () => { ended = true; wake(); },
  });
  try {
    for (;;) {
      while (results.length) yield results.shift();
      if (failed) throw failed;
      if (ended) return;
      await new Promise((resolve) => { wake = resolve; });
    }
  } finally {
    end();
  }
}

// The fetch of a client, and what it asked for and got: method, Accept's first type, Content-Type.
export function watched() {
  const requests = [];
  return [requests, async (url, options) => {
    const response = await fetch(url, options);
    const accept = new Headers(options.headers).get("accept").split(/[;,]/)[0];
    requests.push([options.method, accept, response.headers.get("content-type").split(";")[0]]);
    return response;
  }];
}

export function data({ data, errors, error }) {
  if (errors ?? error) throw new Error(JSON.stringify(errors ?? error));
  return data;
}

export const print = (found) => console.log(JSON.stringify(found));
