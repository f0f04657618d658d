// What every program here does with its client: the same story of two customers.

import assert from "node:assert/strict";

export const url = process.env.TRADEBOOK_URL!;
export const key = process.env.TRADEBOOK_API_KEY!;
export const SHOWN = ["bill_to_address", "price_groups", "freight_preferences.carrier"] as const;
export const MISSING = "ac_0000000000000";

const ADDRESS = { name: "Pier Café", country: "US", locality: "Portland" };

/** The body of a new customer, with what every book and every demo has. */
export function newCustomer(name: string) {
  return {
    name,
    customer_type_group_id: "acgr_2t17adc000000",
    default_carrier_id: "cr_36vpvam0000z8",
    default_payment_term_id: "pytm_36vpvam0002xr",
    default_shipping_term_id: "shtm_36vpvam0003x0",
    bill_to_address: ADDRESS,
    ship_to_address: ADDRESS,
  };
}

/** The cursor inside the URL of the next page. */
export function cursorIn(next: string | null): string | undefined {
  return next === null ? undefined : (new URL(next, url).searchParams.get("cursor") ?? undefined);
}

/** Check that a walk has seen every customer once. */
export function wholeBook(seen: string[]): void {
  assert.ok(seen.length >= 50, `${seen.length} customers`);
  assert.equal(new Set(seen).size, seen.length);
}
