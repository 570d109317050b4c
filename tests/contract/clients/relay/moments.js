// What caches that keep objects by their ids are asked: the law of two days and by two filters, the history of a
// figure, a link on two days, and many days at once. All clients ask these documents: relay-compiler finds
// them by their tag, and wants their names to begin with that of this file.
const graphql = String.raw;

const LAW = graphql`query momentsLawQuery($day: Day!, $commodity: String) {
  asOf(validAt: $day) { id
    exportControls(commodity: $commodity, issuer: "CN", first: 5) {
      edges { matchingClauses { key } node { id key clauses { key status } } } }
    alliance(id: "msp") { id members { place { code } } }
    figure(id: "rare_earths/CN/production/mine/2023") { id preferred { value edition } } } }`;
const HISTORY = graphql`query momentsHistoryQuery($entity: String!) {
  history(entity: $entity) { nodes { validFrom knownFrom state {
    ... on Figure { id preferred { value } claims { value } } } } } }`;
const LINKS = graphql`query momentsLinksQuery($day: Day!) {
  asOf(validAt: $day) { id
    announcement(id: "cn-us-2025-11-01-factsheet") { id
      aboutEntities { entity ... on ExportControl { id key clauses { key status } } } } } }`;
const OVER = graphql`query momentsOverQuery($from: Day!) {
  over(from: $from, to: "2025-12-01", step: MONTH) { id validAt
    exportControl(id: "cn-mofcom-2024-46") { id clauses { key status } } } }`;

export const QUESTIONS = [
  [LAW, { day: "2025-01-01", commodity: "graphite" }],
  [LAW, { day: "2025-11-20", commodity: "graphite" }],
  [LAW, { day: "2025-11-20", commodity: "gallium" }],
  [HISTORY, { entity: "figure/rare_earths/CN/production/mine/2023" }],
  [LINKS, { day: "2025-11-05" }],
  [LINKS, { day: "2025-11-20" }],
  [OVER, { from: "2025-10-20" }],
  [OVER, { from: "2025-11-20" }],
];
