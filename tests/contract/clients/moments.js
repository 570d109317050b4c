// The caches of Apollo Client and of urql's Graphcache as they come, which keep objects by their ids: two days
// and two filters are asked for, links of two days and many days at once, and then everything again, from the
// cache alone.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { data, print } from "./tracker.js";

const [client, url] = process.argv.slice(2);
const LAW = `query Law($day: Day!, $commodity: String) {
  asOf(validAt: $day) { id
    exportControls(commodity: $commodity, issuer: "CN", first: 5) {
      edges { matchingClauses { key } node { id key clauses { key status } } } }
    alliance(id: "msp") { id members { place { code } } }
    figure(id: "rare_earths/CN/production/mine/2023") { id preferred { value edition } } } }`;
const HISTORY = `query History($entity: String!) {
  history(entity: $entity) { nodes { validFrom knownFrom state {
    ... on Figure { id preferred { value } claims { value } } } } } }`;
const LINKS = `query Links($day: Day!) {
  asOf(validAt: $day) { id
    announcement(id: "cn-us-2025-11-01-factsheet") { id
      aboutEntities { entity ... on ExportControl { id key clauses { key status } } } } } }`;
const OVER = `query Over($from: Day!) {
  over(from: $from, to: "2025-12-01", step: MONTH) { id validAt
    exportControl(id: "cn-mofcom-2024-46") { id clauses { key status } } } }`;
const QUESTIONS = [
  [LAW, { day: "2025-01-01", commodity: "graphite" }],
  [LAW, { day: "2025-11-20", commodity: "graphite" }],
  [LAW, { day: "2025-11-20", commodity: "gallium" }],
  [HISTORY, { entity: "figure/rare_earths/CN/production/mine/2023" }],
  [LINKS, { day: "2025-11-05" }],
  [LINKS, { day: "2025-11-20" }],
  [OVER, { from: "2025-10-20" }],
  [OVER, { from: "2025-11-20" }],
];
const plain = (value) => JSON.parse(JSON.stringify(value, (key, of) => key === "__typename" ? undefined : of));

function apollo() {
  const client = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() });
  return async (query, variables, fetchPolicy) =>
    data(await client.query({ query: gql(query), variables, fetchPolicy }));
}

function urql() {
  const client = new Client({
    url, preferGetMethod: false, exchanges: [cacheExchange({}), fetchExchange] });
  return async (query, variables, requestPolicy) =>
    data(await client.query(query, variables, { requestPolicy }).toPromise());
}

async function asked(ask, policy) {
  const answers = [];
  for (const [query, variables] of QUESTIONS) answers.push(plain(await ask(query, variables, policy)));
  return answers;
}

const ask = { apollo, urql }[client]();
const fresh = await asked(ask, "network-only");
print({ fresh, again: await asked(ask, "cache-only") });
