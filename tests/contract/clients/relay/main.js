// Relay's runtime: what its compiler made of queries.js, asked of the server. Two pages of a
// connection become one in the store; then one of its nodes by its id.
import relay from "relay-runtime";
import { print } from "../tracker.js";
import { compiled, environmentFor } from "./environment.js";

const { fetchQuery, getSingularSelector } = relay;
const environment = environmentFor(process.argv[2]);
const ask = (query, variables) => fetchQuery(environment, query, variables).toPromise();

const [query, fragment, byId] = await Promise.all(
  ["queriesControlsQuery", "queries_controls", "queriesNodeQuery"].map(compiled));
let edges, cursor = null;
for (let page = 0; page < 2; page += 1) {
  const { asOf } = await ask(query, { count: 2, cursor });
  const { data } = environment.lookup(getSingularSelector(fragment, asOf));
  ({ edges, pageInfo: { endCursor: cursor } } = data.exportControls);
}
const { node } = await ask(byId, { id: edges[0].node.id });
print({ keys: edges.map(({ node }) => node.key), node: node.key });
