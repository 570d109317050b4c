// A program that uses the generated types; it is checked, not run.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { AnnounceDocument, ChangesDocument, ControlsDocument } from "./client";
import type { Query } from "./schema";

declare function ask<R, V>(document: TypedDocumentNode<R, V>, variables: V): Promise<R>;

const { asOf } = await ask(ControlsDocument, { first: 2, validAt: "2025-11-20" });
const position: string = asOf.position;
const until: (string | null | undefined)[] = asOf.exportControls.nodes
  .flatMap(({ clauses }) => clauses.map(({ suspendedUntil }) => suspendedUntil));
await ask(ChangesDocument, {});
// @ts-expect-error: the number is missing
await ask(ControlsDocument, {});
// @ts-expect-error: an input has its fields
await ask(AnnounceDocument, { input: {} });
declare const whole: Query;
const head: string = whole.head;
export { head, position, until };
