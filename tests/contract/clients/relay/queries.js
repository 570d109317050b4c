// What relay-compiler makes artifacts of: a connection by pages, and an entity by its global id.
import { graphql } from "relay-runtime";

graphql`
  query queriesControlsQuery($count: Int!, $cursor: String) {
    asOf { ...queries_controls @arguments(count: $count, cursor: $cursor) } }`;
graphql`
  fragment queries_controls on AsOf
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" }) {
    exportControls(first: $count, after: $cursor) @connection(key: "queries_exportControls") {
      edges { node { id key } } } }`;
graphql`
  query queriesNodeQuery($id: ID!) { node(id: $id) { id ... on ExportControl { key } } }`;
