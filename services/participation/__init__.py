"""One participation: find, read, create, save, merge, discharge, correct, and its history. The list belongs in
`services.listing`."""
