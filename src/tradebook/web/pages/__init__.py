"""The pages to read: the reference of the API, the errors, and the way to both."""
