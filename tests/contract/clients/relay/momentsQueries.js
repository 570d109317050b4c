// What relay-compiler makes the artifact of moments.js of: the law, an alliance and a figure of a day.
import { graphql } from "relay-runtime";

graphql`
  query momentsQueriesLawQuery($day: Day!) {
    asOf(validAt: $day) {
      exportControls(commodity: "graphite", issuer: "CN", first: 5) {
        edges { matchingClauses { key } node { id key clauses { key status } } } }
      alliance(id: "msp") { id members { place { code } } }
      figure(id: "rare_earths/CN/production/mine/2023") { id preferred { value edition } } } }`;
