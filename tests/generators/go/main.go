// The client of OpenAPI Generator, go.
package main

import (
	"context"
	"errors"
	"log"
	"net/url"
	"os"

	"tradebook/book"
)

const missing = "ac_0000000000000"

var (
	configuration = book.NewConfiguration()
	api           = book.NewAPIClient(configuration).CustomersAPI
	here          = context.WithValue(context.Background(), book.ContextAccessToken, os.Getenv("TRADEBOOK_API_KEY"))
)

func must[T any](found T, _ any, err error) T {
	check(err)
	return found
}

func check(err error) {
	if err == nil {
		return
	}
	var refused *book.GenericOpenAPIError
	if errors.As(err, &refused) {
		log.Fatal(err, string(refused.Body()))
	}
	log.Fatal(err)
}

func require(isTrue bool, what string) {
	if !isTrue {
		log.Fatal(what)
	}
}

func cursorIn(next *string) string {
	if next == nil {
		return ""
	}
	found, err := url.Parse(*next)
	check(err)
	return found.Query().Get("cursor")
}

func main() {
	configuration.Servers = book.ServerConfigurations{{URL: os.Getenv("TRADEBOOK_URL")}}
	list()
	walk()
	change()
}

func list() {
	page := must(api.ListCustomers(here).Limit(3).
		StatusCodes([]book.CustomerStatus{book.CUSTOMERSTATUS_NORMAL}).
		Include([]book.CustomerInclude{book.CUSTOMERINCLUDE_BILL_TO_ADDRESS, book.CUSTOMERINCLUDE_PRICE_GROUPS}).Execute())
	require(len(page.Data) == 3, "a page of three")
	for _, each := range page.Data {
		address := each.BillToAddress.Get()
		require(address != nil && address.Name != "" && each.CreatedAt.Year() >= 2019, "an address, and a time")
	}
}

func walk() {
	seen := map[string]bool{}
	count, cursor := 0, ""
	for {
		request := api.ListCustomers(here).Limit(7)
		if cursor != "" {
			request = request.Cursor(cursor)
		}
		page := must(request.Execute())
		for _, each := range page.Data {
			seen[each.Id] = true
			count++
		}
		cursor = cursorIn(page.PageInfo.NextPageUrl.Get())
		if cursor == "" {
			break
		}
	}
	require(count >= 50 && len(seen) == count, "every customer once")
}

func change() {
	address := *book.NewAddressInput("Pier Café", "US")
	body := *book.NewCustomerCreate("Go", "acgr_2t17adc000000", "cr_36vpvam0000z8", "pytm_36vpvam0002xr",
		"shtm_36vpvam0003x0", address, address)
	created := must(api.CreateCustomer(here).CustomerCreate(body).IdempotencyKey("go").Execute())
	again := must(api.CreateCustomer(here).CustomerCreate(body).IdempotencyKey("go").Execute())
	require(created.Id == again.Id, "the same answer under the same idempotency key")
	other := must(api.CreateCustomer(here).CustomerCreate(body).Execute())

	update := *book.NewCustomerUpdate()
	update.SetNote("Call first.")
	changed := must(api.UpdateCustomer(here, created.Id).CustomerUpdate(update).Execute())
	require(changed.GetNote() == "Call first.", "a note")

	merge := *book.NewCustomerMerge([]string{other.Id})
	merged := must(api.MergeCustomer(here, created.Id).CustomerMerge(merge).Execute())
	require(merged.MergedCustomer != nil && merged.MergedCustomer.Id == created.Id, "a merged customer")

	_, answer, err := api.GetCustomer(here, missing).Execute()
	var refused *book.GenericOpenAPIError
	require(errors.As(err, &refused) && answer.StatusCode == 404, "404")
	envelope, isOne := refused.Model().(book.ErrorEnvelope)
	require(isOne && envelope.Error.Code == "resource_not_found", "the code of the error")

	gone := must(api.DeleteCustomer(here, created.Id).Execute())
	require(gone.Deleted && gone.Id == created.Id, "what was deleted")
	_, answer, _ = api.GetCustomer(here, created.Id).Execute()
	require(answer.StatusCode == 404, "404 after it was deleted")
}
