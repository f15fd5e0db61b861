"""One participation: found, read, created, saved, merged, discharged, corrected, with its history. The list belongs in
`services.listing`."""
