// The client of @hey-api/openapi-ts.

import assert from "node:assert/strict";

import {
  createCustomer,
  deleteCustomer,
  getCustomer,
  listCustomers,
  mergeCustomer,
  updateCustomer,
} from "../generated/hey-api";
import { client } from "../generated/hey-api/client.gen";
import { cursorIn, key, MISSING, newCustomer, SHOWN, url, wholeBook } from "./book";

client.setConfig({ baseUrl: url, auth: key });

const page = await listCustomers({ query: { limit: 3, status_codes: ["normal", "preferred"], include: [...SHOWN] } });
assert.equal(page.data?.data.length, 3);
const groups: string[] = page.data.data.flatMap((each) => each.price_groups?.data.map((group) => group.name) ?? []);
assert.ok(groups.every((name) => name));

const seen: string[] = [];
let cursor: string | undefined;
do {
  const { data } = await listCustomers({ query: { limit: 7, cursor }, throwOnError: true });
  seen.push(...data.data.map((each) => each.id));
  cursor = cursorIn(data.page_info.next_page_url);
} while (cursor);
wholeBook(seen);

const created = await createCustomer({
  body: newCustomer("Hey"),
  headers: { "Idempotency-Key": crypto.randomUUID() },
  throwOnError: true,
});
const { id } = created.data;
const other = await createCustomer({ body: newCustomer("Other"), throwOnError: true });

const changed = await updateCustomer({ path: { id }, body: { note: "Call first." }, throwOnError: true });
assert.equal(changed.data.note, "Call first.");
const cleared = await updateCustomer({ path: { id }, body: { note: null }, throwOnError: true });
assert.equal(cleared.data.note, null);

const merged = await mergeCustomer({ path: { id }, body: { source_customer_ids: [other.data.id] }, throwOnError: true });
assert.ok("number" in merged.data && merged.data.id === id);

const missing = await getCustomer({ path: { id: MISSING } });
assert.equal(missing.response?.status, 404);
assert.equal(missing.error?.error.code, "resource_not_found");

const gone = await deleteCustomer({ path: { id } });
assert.equal(gone.data?.deleted, true);
assert.equal((await getCustomer({ path: { id } })).response?.status, 404);
