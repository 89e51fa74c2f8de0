"""The cheapest plan of all hours at once, by HiGHS; the only room that knows it."""
