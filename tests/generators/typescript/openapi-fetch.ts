// The types of openapi-typescript, with openapi-fetch.

import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { paths } from "../generated/openapi-typescript/schema";
import { cursorIn, key, MISSING, newCustomer, SHOWN, url, wholeBook } from "./book";

// The list can be lines or a table too; this client asks for JSON.
const client = createClient<paths, "application/json">({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

const page = await client.GET("/v1/sales/customers", {
  params: { query: { limit: 3, status_codes: ["normal", "preferred"], include: [...SHOWN] } },
});
assert.equal(page.data?.data.length, 3);
assert.ok(page.data.data.every((each) => each.freight_preferences?.carrier?.name));

const seen: string[] = [];
let cursor: string | undefined;
do {
  const { data } = await client.GET("/v1/sales/customers", { params: { query: { limit: 7, cursor } } });
  assert.ok(data);
  seen.push(...data.data.map((each) => each.id));
  cursor = cursorIn(data.page_info.next_page_url);
} while (cursor);
wholeBook(seen);

const created = await client.POST("/v1/sales/customers", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: newCustomer("Fetch"),
});
const other = await client.POST("/v1/sales/customers", { body: newCustomer("Other") });
assert.ok(created.data && other.data);
const path = { id: created.data.id };

const changed = await client.PATCH("/v1/sales/customers/{id}", { params: { path }, body: { status: "preferred" } });
assert.equal(changed.data?.status, "preferred");

const merged = await client.POST("/v1/sales/customers/{id}/actions/merge", {
  params: { path },
  body: { source_customer_ids: [other.data.id] },
});
assert.ok(merged.data && "number" in merged.data && merged.data.id === path.id);

const missing = await client.GET("/v1/sales/customers/{id}", { params: { path: { id: MISSING } } });
assert.equal(missing.response.status, 404);
assert.equal(missing.error?.error.code, "resource_not_found");

const gone = await client.DELETE("/v1/sales/customers/{id}", { params: { path } });
assert.equal(gone.data?.deleted, true);
assert.equal((await client.GET("/v1/sales/customers/{id}", { params: { path } })).response.status, 404);
