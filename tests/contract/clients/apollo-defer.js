// Apollo Client: a query with @defer, by its incremental handler; what its watchers see, one after another.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { print, watched } from "./tracker.js";

const uri = process.argv[2];
const [requests, fetch] = watched();
const client = new ApolloClient({
  link: new HttpLink({ uri, fetch }), cache: new InMemoryCache(),
  incrementalHandler: new GraphQL17Alpha9Handler(),
});
const query = gql`{ asOf(validAt: "2025-11-20") {
  position
  ... @defer { exportControls(first: 2) { totalCount nodes { key } } }
} }`;
const seen = [];
await new Promise((resolve, reject) => {
  client.watchQuery({ query, returnPartialData: true }).subscribe({
    next: ({ data, dataState, error }) => {
      if (error) reject(error);
      if (data?.asOf) seen.push([dataState, data.asOf]);
      if (dataState === "complete") resolve();
    },
    error: reject,
  });
});
print({ requests, seen });
client.stop();
