// The schemas of orval for zod, around fetch: what is sent and what is answered fits them.

import assert from "node:assert/strict";

import {
  createCustomerBody,
  deleteCustomerResponse,
  getCustomerResponse,
  listCustomersQueryParams,
  listCustomersResponse,
  mergeCustomerBody,
  updateCustomerBody,
  updateCustomerResponse,
} from "../generated/orval/zod";
import { cursorIn, key, MISSING, newCustomer, SHOWN, url, wholeBook } from "./book";

const CUSTOMERS = "/v1/sales/customers";

async function send(method: string, path: string, body?: object): Promise<Response> {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  return fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
}

const asked = listCustomersQueryParams.parse({ limit: 3, status_codes: ["normal"], include: [...SHOWN] });
const query = new URLSearchParams({ limit: String(asked.limit), include: SHOWN.join(",") });
const page = listCustomersResponse.parse(await (await send("GET", `${CUSTOMERS}?${query}`)).json());
assert.equal(page.data.length, 3);

const seen: string[] = [];
let cursor: string | undefined;
do {
  const answer = await send("GET", `${CUSTOMERS}?limit=7${cursor ? `&cursor=${cursor}` : ""}`);
  const walked = listCustomersResponse.parse(await answer.json());
  seen.push(...walked.data.map((each) => each.id));
  cursor = cursorIn(walked.page_info.next_page_url);
} while (cursor);
wholeBook(seen);

const created = getCustomerResponse.parse(
  await (await send("POST", CUSTOMERS, createCustomerBody.parse(newCustomer("Zod")))).json(),
);
const other = getCustomerResponse.parse(await (await send("POST", CUSTOMERS, newCustomer("Other"))).json());
const path = `${CUSTOMERS}/${created.id}`;

const changed = updateCustomerResponse.parse(
  await (await send("PATCH", path, updateCustomerBody.parse({ note: "Call first." }))).json(),
);
assert.equal(changed.note, "Call first.");

const merge = mergeCustomerBody.parse({ source_customer_ids: [other.id] });
assert.equal((await send("POST", `${path}/actions/merge`, merge)).status, 200);

assert.throws(() => createCustomerBody.parse({ name: "Without an address" }));
assert.equal((await send("GET", `${CUSTOMERS}/${MISSING}`)).status, 404);
assert.ok(deleteCustomerResponse.parse(await (await send("DELETE", path)).json()).deleted);
assert.equal((await send("GET", path)).status, 404);
