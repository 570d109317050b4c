// Relay's store, which keeps objects by their ids: two days are asked for, and then both again from the store.
import relay from "relay-runtime";
import { print } from "../tracker.js";

const { Environment, Network, RecordSource, Store, createOperationDescriptor, fetchQuery, getRequest } = relay;
const url = process.argv[2];
const network = Network.create(async ({ text }, variables) => (await fetch(url, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ query: text, variables }),
})).json());
const environment = new Environment({ network, store: new Store(new RecordSource()) });
const law = (await import("./artifacts/momentsQueriesLawQuery.graphql.js")).default;
const days = ["2025-01-01", "2025-11-20"];
const fresh = [], again = [];
for (const day of days) {
  const operation = createOperationDescriptor(getRequest(law), { day });
  environment.retain(operation);
  fresh.push(JSON.parse(JSON.stringify(await fetchQuery(environment, law, { day }).toPromise())));
}
for (const day of days) {
  const operation = createOperationDescriptor(getRequest(law), { day });
  again.push(environment.lookup(operation.fragment).data);
}
print({ fresh, again });
