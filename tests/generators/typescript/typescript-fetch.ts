// The client of OpenAPI Generator, typescript-fetch.

import assert from "node:assert/strict";

import { Configuration, CustomerInclude, CustomersApi, CustomerStatus, ResponseError } from "../generated/typescript-fetch";
import { cursorIn, key, MISSING, newCustomer, url, wholeBook } from "./book";

const api = new CustomersApi(new Configuration({ basePath: url, accessToken: key }));
const sent = newCustomer("TypeScript");
const customerCreate = {
  name: sent.name,
  customerTypeGroupId: sent.customer_type_group_id,
  defaultCarrierId: sent.default_carrier_id,
  defaultPaymentTermId: sent.default_payment_term_id,
  defaultShippingTermId: sent.default_shipping_term_id,
  billToAddress: sent.bill_to_address,
  shipToAddress: sent.ship_to_address,
};

const page = await api.listCustomers({
  limit: 3,
  statusCodes: [CustomerStatus.Normal, CustomerStatus.Preferred],
  include: [CustomerInclude.BillToAddress, CustomerInclude.PriceGroups],
});
assert.equal(page.data.length, 3);
assert.ok(page.data.every((each) => each.createdAt instanceof Date && each.billToAddress?.name));

const seen: string[] = [];
let cursor: string | undefined;
do {
  const walked = await api.listCustomers({ limit: 7, cursor });
  seen.push(...walked.data.map((each) => each.id));
  cursor = cursorIn(walked.pageInfo.nextPageUrl);
} while (cursor);
wholeBook(seen);

const created = await api.createCustomer({ customerCreate, idempotencyKey: crypto.randomUUID() });
const other = await api.createCustomer({ customerCreate });
const { id } = created;

const changed = await api.updateCustomer({ id, customerUpdate: { note: "Call first." } });
assert.equal(changed.note, "Call first.");

await api.mergeCustomer({ id, customerMerge: { sourceCustomerIds: new Set([other.id]) } });

async function refusal(call: Promise<unknown>): Promise<[number, string]> {
  const error = await call.then(() => assert.fail("not refused"), (reason: unknown) => reason);
  assert.ok(error instanceof ResponseError);
  return [error.response.status, (await error.response.json()).error.code];
}

assert.deepEqual(await refusal(api.getCustomer({ id: MISSING })), [404, "resource_not_found"]);
assert.equal((await api.deleteCustomer({ id })).deleted, true);
assert.equal((await refusal(api.getCustomer({ id })))[0], 404);
